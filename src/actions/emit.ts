import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Event } from '../events/envelope.js';
import { envReferencesIn } from '../config/env-reference.js';
import { KNOWN_TYPES, deviceReferenceOf } from '../events/webhook-types.js';
import { beforeWrite } from '../simplemdm/call-recorder.js';
import { defineAction } from './action.js';

const TYPE = 'expected a type of your own with a dot in it, such as "acme.laptop.ready"';
const RESERVED = /^(device|abm|schedule)\./;

/** Raises an event of the admin's own, which other rules take. */
export const emit = defineAction({
  about:
    "Raises an event of your own that other rules take by its type. It is about this event's device, unless `data` names another.",
  example: "emit: { type: acme.laptop.ready, data: { owner: '{{ attributes.owner }}' } }",
  args: z.strictObject({
    type: z
      .string(TYPE)
      .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/, TYPE)
      .max(128, TYPE)
      .refine(
        (type) => !RESERVED.test(type) && !KNOWN_TYPES.includes(type),
        'this is a type of SimpleMDM or of ours: choose one of your own, such as "acme.laptop.ready"',
      ),
    data: z
      .record(z.string(), z.unknown(), 'expected names and values')
      .refine(
        (data) => envReferencesIn(JSON.stringify(data)).length === 0,
        'an event is kept and shown: no ${env:…} can stand in it',
      )
      .default({}),
  }),
  shorthand: 'type',
  outputs: { event_id: 'string', type: 'string' },
  facts: [],
  perform: async ({ type, data }, { event, rule, stepKey, emitEvent, now }) => {
    const at = now().toISOString();
    const device = deviceReferenceOf(event);
    const raised: Event = {
      // Of the step, not of the data: an attempt whose answer was lost must not raise it twice.
      id: createHash('sha256').update(`raised by ${stepKey}`).digest('hex'),
      account: event.account,
      type,
      at,
      receivedAt: at,
      source: 'rule',
      data: {
        ...(device && {
          device: {
            ...(device.id !== undefined && { id: device.id }),
            ...(device.serialNumber !== undefined && { serial_number: device.serialNumber }),
          },
        }),
        ...withDeviceId(data),
      },
      causedBy: { event: event.id, rule: rule.id, chainLength: (event.causedBy?.chainLength ?? 0) + 1 },
    };
    await beforeWrite({ account: event.account, method: 'EMIT', path: type });
    await emitEvent(raised);
    return { status: 'completed', output: { event_id: raised.id, type } };
  },
});

const namedDevice = z.looseObject({ device: z.looseObject({ id: z.string().regex(/^[1-9]\d{0,14}$/) }) });

/** A template gives texts; the id of a device is a number. */
function withDeviceId(data: Record<string, unknown>): Record<string, unknown> {
  const named = namedDevice.safeParse(data).data;
  return named === undefined ? data : { ...data, device: { ...named.device, id: Number(named.device.id) } };
}
