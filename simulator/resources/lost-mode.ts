import { accepted, unprocessable, type ApiResponse } from '../api/response.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { commandLater } from '../scenarios/command.js';
import { timestamp } from '../timestamps.js';
import { withRecord } from './retrieve.js';

/** The calls of the reference's section Lost Mode, for supervised iPhones and iPads. */
export function lostModeRoutes(fleet: Fleet): Route[] {
  const route = (
    method: 'POST' | 'DELETE',
    rest: string,
    handle: (device: Device, call: Call) => ApiResponse,
  ): Route => ({
    method,
    path: `/devices/:id/lost_mode${rest}`,
    handle: (call) =>
      withRecord(call, fleet.devices, (device) =>
        knowsLostMode(device)
          ? handle(device, call)
          : unprocessable('lost mode is available on supervised iOS devices only'),
      ),
  });
  const whileLost = (device: Device, act: (online: Device) => void): ApiResponse => {
    if (device.lostMode === undefined) return unprocessable('lost mode is not enabled');
    commandLater(fleet, device.id, act);
    return accepted();
  };
  return [
    route('POST', '', (device, call) => enable(fleet, call, device)),
    route('DELETE', '', (device) =>
      whileLost(device, (online) => {
        delete online.lostMode;
        online.attributes.lost_mode_enabled = false;
        writeDeviceLog(fleet, online, { event_type: 'lost_mode.disabled' });
      }),
    ),
    route('POST', '/play_sound', (device) =>
      whileLost(device, (online) => writeDeviceLog(fleet, online, { event_type: 'lost_mode.sound_played' })),
    ),
    route('POST', '/update_location', (device) =>
      whileLost(device, (online) => {
        Object.assign(online.attributes, {
          location_latitude: '45.5230622',
          location_longitude: '-122.6764816',
          location_accuracy: '65',
          location_updated_at: timestamp(fleet.clock.now()),
        } satisfies Partial<Device['attributes']>);
        writeDeviceLog(fleet, online, { event_type: 'lost_mode.location_updated' });
      }),
    ),
  ];
}

function knowsLostMode({ platform, attributes }: Device): boolean {
  return (platform === 'iOS' || platform === 'iPadOS') && attributes.is_supervised === true;
}

function enable(fleet: Fleet, call: Call, device: Device): ApiResponse {
  const message = textParam(call.params, 'message');
  const phone_number = textParam(call.params, 'phone_number');
  const footnote = textParam(call.params, 'footnote');
  if (message === undefined && phone_number === undefined) {
    return unprocessable('a message or phone number must be provided');
  }
  const editable = fleet.devices.edit(device.id);
  if (editable === undefined) return accepted();
  // SimpleMDM records lost mode immediately, the device enters it after a delay.
  editable.lostMode = {
    ...(message !== undefined && { message }),
    ...(phone_number !== undefined && { phone_number }),
    ...(footnote !== undefined && { footnote }),
  };
  commandLater(fleet, device.id, (online) => {
    online.attributes.lost_mode_enabled = true;
    writeDeviceLog(fleet, online, { event_type: 'lost_mode.enabled', metadata: { ...online.lostMode } });
  });
  return accepted();
}
