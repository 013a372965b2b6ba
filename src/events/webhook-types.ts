import { z } from 'zod';
import { isJsonObject } from './envelope.js';
import type { Event } from './envelope.js';
import { numberFrom } from './webhook-device.js';

/** An enrolled device, as documented. */
const enrolledDevice = z.looseObject({
  id: z.int(),
  udid: z.string().nullish(),
  serial_number: z.string().nullish(),
});

/** A device that exists only in Apple Business Manager. It has no SimpleMDM id. */
const businessManagerDevice = z.looseObject({
  serial_number: z.string(),
  model: z.string().nullish(),
});

const aboutDevice = z.looseObject({ device: enrolledDevice });

/** The documented form of `data` for each documented type: what rules may name. Webhooks of other forms are kept too (read-webhook.ts). */
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

/** Serial numbers have ten to twelve characters. An endless string must not become an API search. */
const MAX_NAME_LENGTH = 64;

function nameFrom(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value.trim() : '';
  return name === '' || name.length > MAX_NAME_LENGTH ? undefined : name;
}

/** What the data of an event says about its device. At least one is known. */
export interface DeviceReference {
  readonly id: number | undefined;
  readonly serialNumber: string | undefined;
  readonly udid: string | undefined;
}

/** The device in the data of an event of any type, or undefined without one. */
export function deviceReferenceOf(event: {
  readonly data: Record<string, unknown>;
}): DeviceReference | undefined {
  const device = event.data['device'];
  if (!isJsonObject(device)) return undefined;
  const id = numberFrom(device['id']);
  const serialNumber = nameFrom(device['serial_number']);
  const udid = nameFrom(device['udid']);
  if (id === undefined && serialNumber === undefined && udid === undefined) return undefined;
  return { id, serialNumber, udid };
}

/** The best name of a device that an event has without a lookup, for keys that belong to one device. */
export function deviceKeyOf(event: { readonly data: Record<string, unknown> }): string | undefined {
  const device = deviceReferenceOf(event);
  return device === undefined ? undefined : String(device.id ?? device.serialNumber ?? device.udid);
}

/**
 * Why it is not known which device an event is about, although its type is about one. A lookup that then finds nothing does not mean that
 * the device is gone. Undefined when the event names its device, or needs none.
 */
export function uncertainDeviceOf({
  type,
  data,
  source,
  originalSource = source,
}: Pick<Event, 'type' | 'data' | 'source' | 'originalSource'>): string | undefined {
  if (originalSource !== 'webhook') return undefined;
  const device = deviceReferenceOf({ data });
  const namesDevice = type.startsWith('device.') ? device?.id !== undefined : device !== undefined;
  if (namesDevice || !(/^(?:abm\.)?device\./.test(type) || (data['device'] ?? null) !== null))
    return undefined;
  if (device === undefined) return 'the webhook named no device';
  const { serialNumber, udid } = device;
  const known = serialNumber === undefined ? `UDID ${udid ?? ''}` : `serial number ${serialNumber}`;
  return `the webhook named no device id, and SimpleMDM has no device with the ${known}`;
}
