import { createHash } from 'node:crypto';
import { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import type { Event } from '../events/envelope.js';
import { KNOWN_TYPES, deviceReferenceOf } from '../events/webhook-types.js';
import { beforeWrite } from '../simplemdm/call-recorder.js';
import { defineAction } from './action.js';

const EXPECTED_TYPE = 'expected a type with a dot, such as "acme.laptop.ready"';
const RESERVED = /^(device|abm|schedule)\./;

/** Emits an event that other rules can match. */
export const emit = defineAction({
  about:
    "Emits an event of your own type, which other rules can match. The event is about this event's device, unless `data` names another device.",
  example: "emit: { type: acme.laptop.ready, data: { owner: '{{ attributes.owner }}' } }",
  args: z.strictObject({
    type: z
      .string(EXPECTED_TYPE)
      .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/, EXPECTED_TYPE)
      .max(128, EXPECTED_TYPE)
      .refine(
        (type) => !RESERVED.test(type) && !KNOWN_TYPES.includes(type),
        'this type is reserved: use a type of your own, such as "acme.laptop.ready"',
      ),
    data: z
      .record(z.string(), z.unknown(), 'expected names and values')
      .refine(
        (data) => envReferencesIn(JSON.stringify(data)).length === 0,
        'events are stored and displayed, so ${env:…} is not allowed here',
      )
      .default({}),
  }),
  shorthand: 'type',
  outputs: { event_id: 'string', type: 'string' },
  facts: [],
  perform: async ({ type, data }, { event, rule, stepKey, emitEvent, now }) => {
    const at = now().toISOString();
    const device = deviceReferenceOf(event);
    const emitted: Event = {
      // The id depends on the step only, so that a retry after a lost response does not emit a second event.
      id: createHash('sha256').update(`emitted by ${stepKey}`).digest('hex'),
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
            ...(device.id === undefined && device.udid !== undefined && { udid: device.udid }),
          },
        }),
        ...withNumericDeviceId(data),
      },
      causedBy: { event: event.id, rule: rule.id, chainLength: (event.causedBy?.chainLength ?? 0) + 1 },
    };
    await beforeWrite({ account: event.account, method: 'EMIT', path: type });
    await emitEvent(emitted);
    return { status: 'completed', output: { event_id: emitted.id, type } };
  },
});

const dataWithDevice = z.looseObject({
  device: z.looseObject({ id: z.string().regex(/^[1-9]\d{0,14}$/) }),
});

/** Templates render to strings, but device ids are numbers. */
function withNumericDeviceId(data: Record<string, unknown>): Record<string, unknown> {
  const parsed = dataWithDevice.safeParse(data).data;
  return parsed === undefined
    ? data
    : { ...data, device: { ...parsed.device, id: Number(parsed.device.id) } };
}
