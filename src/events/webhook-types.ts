import { z } from 'zod';
import type { Webhook } from './envelope.js';

/** An enrolled device. Only the id is required: API calls use it. */
const enrolledDevice = z.looseObject({
  id: z.int('expected the SimpleMDM device id, a whole number').positive(),
  udid: z.string().nullish(),
  serial_number: z.string().nullish(),
});

/** A device that exists only in Apple Business Manager. It has no SimpleMDM id. */
const businessManagerDevice = z.looseObject({
  serial_number: z.string('expected the serial number, a text').min(1),
  model: z.string().nullish(),
});

const aboutDevice = z.looseObject({ device: enrolledDevice });

/** The schema of `data` for each documented type. Unknown fields are kept. */
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

/** The event types that the SimpleMDM API reference documents. */
export const KNOWN_TYPES: readonly string[] = [...KNOWN_DATA.keys()];

/**
 * Checks the `data` of a webhook with a known type. Unknown types pass, because SimpleMDM adds types over time.
 *
 * @returns `<path of the field>: <problem>`, or undefined when the data is valid.
 */
export function problemInData(webhook: Webhook): string | undefined {
  const result = KNOWN_DATA.get(webhook.type)?.safeParse(webhook.data);
  const issue = result?.error?.issues[0];
  return issue === undefined ? undefined : `${['data', ...issue.path].join('.')}: ${issue.message}`;
}

const deviceReference = z.looseObject({
  device: z.looseObject({
    id: z.int().positive().optional().catch(undefined),
    // Serial numbers have ten to twelve characters. An endless string must not become an API search.
    serial_number: z.string().min(1).max(64).optional().catch(undefined),
  }),
});

/** What the data of an event says about its device. */
export interface DeviceReference {
  readonly id: number | undefined;
  readonly serialNumber: string | undefined;
}

/** The device in the data of an event of any type, or undefined without one. */
export function deviceReferenceOf(event: {
  readonly data: Record<string, unknown>;
}): DeviceReference | undefined {
  const parsed = deviceReference.safeParse(event.data);
  if (!parsed.success) return undefined;
  const { id, serial_number: serialNumber } = parsed.data.device;
  return id === undefined && serialNumber === undefined ? undefined : { id, serialNumber };
}
