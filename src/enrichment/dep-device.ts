import { z } from 'zod';
import { alsoRecordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import { depDeviceAttributes } from '../simplemdm/dep-servers.js';
import { isSameSerialNumber, refuseIfHidden } from './find-device.js';
import { serialNumberOf } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/** The event's device in Apple Business Manager, found by serial number among the devices of each DEP server. */
export const depDevice: Fact = {
  shape: {
    fields: {
      id: 'number',
      dep_server_id: 'number',
      dep_server_name: 'string',
      ...fieldsOf(depDeviceAttributes),
    },
  },
  about: 'the device in Apple Business Manager: `dep_device.dep_server_name`, `dep_device.model` …',
  cost: 30,
  fetch: async (context) => {
    const serialNumber = await serialNumberOf(context);
    if (serialNumber === undefined) return withoutSerialNumber(await context.fact('device'), context.warn);
    const unread: AnswerWarning[] = [];
    return alsoRecordWarnings(unread, async () => {
      for (const server of await context.lists.depServers.get()) {
        for await (const { id, attributes } of context.api.depServers.listDepDevices(server.id)) {
          if (!isSameSerialNumber(attributes.serial_number, serialNumber)) continue;
          return {
            ...attributes,
            id,
            dep_server_id: server.id,
            dep_server_name: server.attributes.server_name ?? null,
          };
        }
      }
      const { account } = context.event;
      refuseIfHidden(unread, { account, method: 'GET', path: '/dep_servers/…/dep_devices' }, 'serial_number');
      return null;
    });
  },
};

const knownToSimpleMdm = z.looseObject({ user_enrollment: z.boolean().nullish() }).nullable();

/**
 * The value without a serial number to look for. A personal device (user enrollment) never reports a serial number and is in no Apple
 * Business Manager. For any other device, whether it is there is not known: an object whose fields are null, which `dep_device == null`
 * does not match.
 */
function withoutSerialNumber(device: unknown, warn: (text: string) => void): Record<string, null> | null {
  const known = knownToSimpleMdm.parse(device);
  if (known === null || known.user_enrollment === true) return null;
  warn('the serial number of the device is not known: nothing could be looked up');
  return { id: null, dep_server_id: null, dep_server_name: null, serial_number: null };
}
