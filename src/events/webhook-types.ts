import { z } from 'zod';
import type { Webhook } from './envelope.js';

/** The device of a webhook about an enrolled device. Only the id is certain: it is what the API is asked with. */
const enrolledDevice = z.looseObject({
  id: z.int('expected the SimpleMDM device id, a whole number').positive(),
  udid: z.string().nullish(),
  serial_number: z.string().nullish(),
});

/** A device that exists in Apple Business Manager only: it has no SimpleMDM id. */
const businessManagerDevice = z.looseObject({
  serial_number: z.string('expected the serial number, a text').min(1),
  model: z.string().nullish(),
});

const aboutDevice = z.looseObject({ device: enrolledDevice });

/** What is known of the `data` of each documented type; fields that are not named here are kept. */
export const KNOWN_DATA: ReadonlyMap<string, z.ZodType<Record<string, unknown>>> = new Map<
  string,
  z.ZodType<Record<string, unknown>>
>(
  Object.entries({
    'device.enrolled': aboutDevice,
    'device.unenrolled': aboutDevice,
    'device.changed_group': aboutDevice,
    'device.lock.enabled': aboutDevice,
    'abm.device.added': z.looseObject({ device: businessManagerDevice }),
    test_event: z.looseObject({}),
  }),
);

/** The event types that SimpleMDM is known to send. */
export const KNOWN_TYPES: readonly string[] = [...KNOWN_DATA.keys()];

/**
 * Checks the `data` of a known type. An unknown type passes: SimpleMDM adds types over time.
 *
 * @returns The problem as the path of the field and what is wrong with it, or undefined.
 */
export function problemInData(webhook: Webhook): string | undefined {
  const result = KNOWN_DATA.get(webhook.type)?.safeParse(webhook.data);
  const issue = result?.error?.issues[0];
  return issue === undefined ? undefined : `${['data', ...issue.path].join('.')}: ${issue.message}`;
}

const deviceReference = z.looseObject({
  device: z.looseObject({
    id: z.int().positive().optional().catch(undefined),
    // Real ones have ten to twelve characters; something endless must not become a search at the API.
    serial_number: z.string().min(1).max(64).optional().catch(undefined),
  }),
});

/** The device that an event is about, as far as its data says. */
export interface DeviceReference {
  readonly id: number | undefined;
  readonly serialNumber: string | undefined;
}

/** The device named in an event's data, or undefined when the event is not about one. Works for unknown types as well. */
export function deviceReferenceOf(event: {
  readonly data: Record<string, unknown>;
}): DeviceReference | undefined {
  const parsed = deviceReference.safeParse(event.data);
  if (!parsed.success) return undefined;
  const { id, serial_number: serialNumber } = parsed.data.device;
  return id === undefined && serialNumber === undefined ? undefined : { id, serialNumber };
}
