import { z } from 'zod';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { deviceAttributes } from '../simplemdm/devices.js';
import type { Device } from '../simplemdm/devices.js';
import type { Fact } from './fact.js';
import { deviceWithSerialNumber, deviceWithUdid } from './find-device.js';
import { nullWhenNotFound } from './null-when-not-found.js';
import { NO_MODEL_NAME, PLATFORMS, platformOf } from './platform.js';
import { fieldsOf } from './schema-shape.js';

/**
 * The device of the event: the attributes of its record, with `id`, `group_id`, `platform` and `capacity_free_ratio`. Without a
 * device id in the event (Apple Business Manager, odd webhooks), the device is looked up by serial number or UDID.
 */
export const device: Fact = {
  shape: {
    fields: {
      id: 'number',
      group_id: 'number',
      assignment_group_ids: { list: 'number' },
      platform: { oneOf: PLATFORMS },
      capacity_free_ratio: 'number',
      ...fieldsOf(deviceAttributes),
      // A copy of the fact `attributes`.
      attributes: { mapOf: 'string' },
    },
  },
  about:
    'the device record: `device.name`, `device.os_version`, `device.firewall.enabled` …, and `device.platform` (macOS, iOS, iPadOS, tvOS, watchOS, visionOS, audioOS, unknown), `device.group_id`, `device.capacity_free_ratio`',
  cost: 1,
  fetch: async ({ event, api, deviceReads, warn }) => {
    const reference = deviceReferenceOf(event);
    if (reference === undefined) return null;
    const { id, serialNumber, udid } = reference;
    const record =
      id !== undefined
        ? await nullWhenNotFound(() => deviceReads.retrieve(id))
        : ((serialNumber === undefined
            ? null
            : await deviceWithSerialNumber({ api, account: event.account }, serialNumber, warn)) ??
          (udid === undefined ? null : await deviceWithUdid({ api, account: event.account }, udid, warn)));
    if (record === null) return null;
    for (const note of deviceNotes(record)) warn(note);
    return deviceValue(record);
  },
};

/** What is odd about a device record, for the trace. */
export function deviceNotes({ attributes }: Device): string[] {
  if (platformOf(attributes) !== 'unknown') return [];
  const names = [attributes.product_name, attributes.model_name, attributes.model].flatMap(
    (name) => name ?? [],
  );
  return [`platform: this version does not know the model ${names.join(', ')}; device.platform is "unknown"`];
}

/** The value of the fact `device` for a device record. */
export function deviceValue({ id, attributes, relationships }: Device): Record<string, unknown> {
  const { device_capacity: capacity, available_device_capacity: free, model_name: model } = attributes;
  return {
    ...attributes,
    model_name: model === undefined || model === NO_MODEL_NAME ? null : model,
    id,
    group_id: relationships?.device_group?.data?.id ?? null,
    // Older accounts do not list them.
    assignment_group_ids: relationships?.groups?.data?.map((group) => group.id) ?? null,
    platform: platformOf(attributes),
    capacity_free_ratio: capacity && free !== null && free !== undefined ? free / capacity : null,
  };
}

/** The part of the fact `device` that actions need. */
export const knownDevice = z
  .looseObject({
    id: z.int(),
    platform: z.string().nullable(),
    status: z.string().nullish(),
    is_supervised: z.boolean().nullish(),
    serial_number: z.string().nullish(),
    name: z.string().nullish(),
    model_name: z.string().nullish(),
  })
  .nullable();

/** A device that SimpleMDM knows. */
export type KnownDevice = NonNullable<z.output<typeof knownDevice>>;
