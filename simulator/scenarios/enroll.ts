import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { deviceUser } from '../fleet/device-users.js';
import type { Device, DeviceUser } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import {
  attributesOf,
  deviceKinds,
  platformOf,
  randomSerialNumber,
  type DeviceKind,
} from '../fleet/hardware.js';
import { appsOfNew } from '../fleet/installed-apps.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { timestamp } from '../timestamps.js';
import { reportInventoryLater, withoutInventory } from './report-inventory.js';
import { webhookDevice } from './webhook-device.js';

export const enrollRequestSchema = z.strictObject({
  kind: z.enum(deviceKinds),
  name: z.string().min(1).optional(),
  serialNumber: z.string().min(1).optional(),
  /** The device group (default: 1, "Default"). */
  groupId: z.int().optional(),
  /** From now until the device has reported its inventory, in milliseconds (default: the delay of the simulator). */
  inventoryMs: z.number().nonnegative().optional(),
  /** Whether to send a webhook (default: true). */
  webhook: z.boolean().optional(),
});

export type EnrollRequest = z.input<typeof enrollRequestSchema>;

export const enrollManyRequestSchema = z.strictObject({
  count: z.int().min(1).max(100_000),
  kind: z.enum(deviceKinds).default('macbook'),
  /** Default: all devices immediately. */
  perSecond: z.number().positive().optional(),
  groupId: z.int().optional(),
});

export type EnrollManyRequest = z.input<typeof enrollManyRequestSchema>;

export interface EnrolledDevice {
  id: number;
  name: string;
  serialNumber: string;
  udid: string;
  kind: DeviceKind;
  groupId: number;
}

const names: Readonly<Record<DeviceKind, string>> = {
  macbook: 'New MacBook Pro',
  mac_mini: 'New Mac mini',
  iphone: 'New iPhone',
  ipad: 'New iPad',
  apple_tv: 'New Apple TV',
};

/** Enrolls a device. A device with a known serial number keeps its id. As at SimpleMDM, the webhook comes before the inventory. */
export function enroll(fleet: Fleet, request: EnrollRequest): EnrolledDevice {
  const {
    kind,
    groupId = 1,
    webhook = true,
    inventoryMs = fleet.delays.inventoryMs,
  } = enrollRequestSchema.parse(request);
  assertGroup(fleet, groupId);

  const { serialNumber = randomSerialNumber(), name = names[kind] } = request;
  const known = fleet.devices.bySerialNumber(serialNumber);
  const udid = known?.attributes.unique_identifier ?? randomUUID().toUpperCase();
  const at = timestamp(fleet.clock.now());
  const device: Device = {
    id: known?.id ?? fleet.nextId('device'),
    platform: platformOf[kind],
    attributes: attributesOf(kind, { name, serialNumber, udid, at }),
    groupId,
    apps: appsOfNew(kind, () => fleet.nextId('installedApp'), at),
    users: platformOf[kind] === 'macOS' ? [firstUser(fleet)] : [],
    customValues: new Map(
      platformOf[kind] === 'macOS' ? [['local_admin_password', randomSerialNumber().toLowerCase()]] : [],
    ),
  };
  if (inventoryMs === 0) {
    fleet.devices.add(device);
    writeDeviceLog(fleet, device, { event_type: 'device.enrolled' });
  } else {
    fleet.devices.add(withoutInventory(device));
    reportInventoryLater(fleet, device, inventoryMs);
  }
  if (webhook) fleet.webhooks.post('device.enrolled', webhookDevice(device));
  return { id: device.id, name, serialNumber, udid, kind, groupId };
}

/** Enrolls many devices with numbered names. */
export function enrollMany(fleet: Fleet, many: EnrollManyRequest): void {
  const { count, kind, perSecond, groupId } = enrollManyRequestSchema.parse(many);
  // Check now: an error on the clock would reach no caller.
  if (groupId !== undefined) assertGroup(fleet, groupId);
  const enrollOne = (number: number): void => {
    enroll(fleet, { kind, name: `${names[kind]} ${number}`, ...(groupId !== undefined && { groupId }) });
  };
  for (let number = 1; number <= count; number += 1) {
    if (perSecond === undefined) enrollOne(number);
    else fleet.clock.after(((number - 1) * 1000) / perSecond, () => enrollOne(number));
  }
}

function assertGroup({ deviceGroups }: Fleet, groupId: number): void {
  if (!deviceGroups.has(groupId)) throw new Error(`there is no device group ${groupId}`);
}

function firstUser(fleet: Fleet): DeviceUser {
  return deviceUser({
    id: fleet.nextId('deviceUser'),
    username: 'itadmin',
    full_name: 'IT Admin',
    user_guid: randomUUID().toUpperCase(),
  });
}
