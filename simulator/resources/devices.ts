import { created, noContent, notFound, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { pageOf, type Direction } from '../api/paging.js';
import { flagParam, idsParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import { blankAttributes } from '../fleet/device-attributes.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeAdminLog, writeDeviceLog } from '../fleet/write-log.js';
import { commandLater } from '../scenarios/command.js';
import { unenroll } from '../scenarios/unenroll.js';
import { deviceRecord } from './device-record.js';
import { editableDevices, withRecord } from './retrieve.js';

/** The calls of the reference's section Devices about the devices themselves. */
export function deviceRoutes(fleet: Fleet): Route[] {
  const { devices } = fleet;
  const show = (call: Call) => (device: Device) =>
    deviceRecord(fleet, device, flagParam(call.params, 'include_secret_custom_attributes') ?? false);

  return [
    {
      method: 'GET',
      path: '/devices',
      handle: (call) =>
        pageOf(call, true, show(call), ({ after, direction }) =>
          listed(fleet, call, after === undefined ? undefined : Number(after), direction),
        ),
    },
    { method: 'POST', path: '/devices', handle: (call) => createDevice(fleet, call) },
    {
      method: 'GET',
      path: '/devices/:id',
      handle: (call) => withRecord(call, devices, (device) => ok({ data: show(call)(device) })),
    },
    {
      method: 'PATCH',
      path: '/devices/:id',
      handle: (call) =>
        withRecord(call, editableDevices(fleet), (device) => updateDevice(fleet, call, device)),
    },
    {
      method: 'DELETE',
      path: '/devices/:id',
      handle: (call) =>
        withRecord(call, devices, ({ id }) => {
          unenroll(fleet, id);
          return noContent();
        }),
    },
  ];
}

function* listed(
  { devices }: Fleet,
  call: Call,
  after: number | undefined,
  direction: Direction,
): Iterable<Device> {
  const waitingToo = flagParam(call.params, 'include_awaiting_enrollment') ?? false;
  const search = textParam(call.params, 'search')?.toLowerCase();
  // A complete serial number belongs to one device: no scan of a hundred thousand devices.
  const known = search === undefined ? undefined : devices.bySerialNumber(search.toUpperCase());
  const candidates = known === undefined ? devices.after(after, direction) : [known];
  for (const device of candidates) {
    const { attributes } = device;
    if (!waitingToo && attributes.status === 'awaiting enrollment') continue;
    if (known !== undefined && after !== undefined) continue;
    if (search === undefined || searched(attributes).some((text) => text?.toLowerCase().includes(search))) {
      yield device;
    }
  }
}

function searched(attributes: Device['attributes']): (string | null)[] {
  const { name, unique_identifier, serial_number, imei, phone_number } = attributes;
  const { wifi_mac, bluetooth_mac, ethernet_macs } = attributes;
  return [
    name,
    unique_identifier,
    serial_number,
    imei,
    phone_number,
    wifi_mac,
    bluetooth_mac,
    ...ethernet_macs,
  ];
}

/** Creates a device that awaits its enrollment, and its one-time enrollment. */
function createDevice(fleet: Fleet, call: Call): ApiResponse {
  const name = textParam(call.params, 'name');
  if (name === undefined) return unprocessable('name is required');
  const groupId = Number(textParam(call.params, 'group_id') ?? 1);
  if (!fleet.deviceGroups.has(groupId)) return notFound();
  const staticGroupIds = idsParam(call.params, 'static_group_ids') ?? [];
  if (staticGroupIds === 'malformed') return unprocessable('static_group_ids must be a list of numbers');
  if (staticGroupIds.some((id) => !fleet.assignmentGroups.has(id))) return notFound();

  const id = fleet.nextId('device');
  const enrollmentId = fleet.nextId('enrollment');
  const url = `https://a.simplemdm.com/e/?c=${63_154_796 + enrollmentId}`;
  const device: Device = {
    id,
    platform: 'unknown',
    attributes: { ...blankAttributes(name), enrollment_url: url },
    groupId,
    apps: [],
    users: [],
    customValues: new Map(),
  };
  fleet.devices.add(device);
  for (const groupOfDevice of staticGroupIds) fleet.assignmentGroups.get(groupOfDevice)?.deviceIds.add(id);
  writeAdminLog(fleet, 'device.created', { device_id: id });
  fleet.enrollments.set(enrollmentId, {
    id: enrollmentId,
    url,
    belongsTo: { type: 'device', id },
    user_enrollment: false,
    welcome_screen: false,
    authentication: false,
  });
  return created({ data: deviceRecord(fleet, device, false) });
}

/** The name in SimpleMDM changes immediately, the name on the device after a delay; a device that awaits its enrollment keeps none. */
function updateDevice(fleet: Fleet, call: Call, device: Device): ApiResponse {
  const name = textParam(call.params, 'name');
  const deviceName = textParam(call.params, 'device_name');
  const isWaiting = device.attributes.status === 'awaiting enrollment';
  if (deviceName !== undefined && !isWaiting && device.attributes.is_supervised !== true) {
    return unprocessable('device_name can be set on a supervised device only');
  }
  if (name !== undefined) device.attributes.name = name;
  if (deviceName !== undefined) {
    commandLater(fleet, device.id, (online) => {
      online.attributes.device_name = deviceName;
      writeDeviceLog(fleet, online, { event_type: 'device.renamed', metadata: { device_name: deviceName } });
    });
  }
  return ok({ data: deviceRecord(fleet, device, false) });
}
