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
import { webhookDevice } from './webhook-device.js';

export const enrollingDeviceSchema = z.strictObject({
  kind: z.enum(deviceKinds),
  name: z.string().min(1).optional(),
  serialNumber: z.string().min(1).optional(),
  /** The group it joins; 1, "Default", when left out. */
  groupId: z.int().optional(),
  /** False: it enrolls without a webhook, as when the receiver was not told. */
  webhook: z.boolean().optional(),
});

export type EnrollingDevice = z.input<typeof enrollingDeviceSchema>;

export const enrollingManySchema = z.strictObject({
  count: z.int().min(1).max(100_000),
  kind: z.enum(deviceKinds).default('macbook'),
  /** All at once when left out. */
  perSecond: z.number().positive().optional(),
  groupId: z.int().optional(),
});

export type EnrollingMany = z.input<typeof enrollingManySchema>;

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

/** A device enrolls. One whose serial number is already there enrolls anew under its old id. */
export function enroll(fleet: Fleet, enrolling: EnrollingDevice): EnrolledDevice {
  const { kind, groupId = 1, webhook = true } = enrollingDeviceSchema.parse(enrolling);
  assertGroup(fleet, groupId);

  const { serialNumber = randomSerialNumber(), name = names[kind] } = enrolling;
  const before = fleet.devices.bySerialNumber(serialNumber);
  const udid = before?.attributes.unique_identifier ?? randomUUID().toUpperCase();
  const at = timestamp(fleet.clock.now());
  const device: Device = {
    id: before?.id ?? fleet.nextId('device'),
    platform: platformOf[kind],
    attributes: attributesOf(kind, { name, serialNumber, udid, at }),
    groupId,
    apps: appsOfNew(kind, () => fleet.nextId('installedApp'), at),
    users: platformOf[kind] === 'macOS' ? [firstUser(fleet)] : [],
    customValues: new Map(
      platformOf[kind] === 'macOS' ? [['local_admin_password', randomSerialNumber().toLowerCase()]] : [],
    ),
    listsCustomValues: true,
  };
  fleet.devices.add(device);
  writeDeviceLog(fleet, device, { event_type: 'device.enrolled' });
  if (webhook) fleet.webhooks.post('device.enrolled', webhookDevice(device));
  return { id: device.id, name, serialNumber, udid, kind, groupId };
}

/** A delivery of new hardware is unpacked: many devices enroll, named one after the other. */
export function enrollMany(fleet: Fleet, many: EnrollingMany): void {
  const { count, kind, perSecond, groupId } = enrollingManySchema.parse(many);
  // Found out now: on the clock nobody would be there to hear of it.
  if (groupId !== undefined) assertGroup(fleet, groupId);
  const one = (number: number): void => {
    enroll(fleet, { kind, name: `${names[kind]} ${number}`, ...(groupId !== undefined && { groupId }) });
  };
  for (let number = 1; number <= count; number += 1) {
    if (perSecond === undefined) one(number);
    else fleet.clock.after(((number - 1) * 1000) / perSecond, () => one(number));
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
