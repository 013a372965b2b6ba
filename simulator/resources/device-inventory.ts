import { accepted, notFound, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { numberInPath, type Call, type Route } from '../api/route.js';
import type { Device, DeviceUser } from '../fleet/device.js';
import type { Fleet, Profile } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { commandLater } from '../scenarios/command.js';
import { installedAppRecord } from './installed-apps.js';
import { profileAttributes } from './profiles.js';
import { withRecord } from './retrieve.js';

/**
 * The calls of the reference's section Devices about the content of a device: profiles, installed apps, users.
 * Only Macs have users; for other devices the list is empty.
 */
export function deviceInventoryRoutes(fleet: Fleet): Route[] {
  const { devices } = fleet;
  const show = (profile: Profile) => ({
    type: profile.type,
    id: profile.id,
    attributes: profileAttributes(fleet, profile),
  });
  return [
    {
      method: 'GET',
      path: '/devices/:id/profiles',
      handle: (call) =>
        withRecord(call, devices, (device) => page(call, directProfiles(fleet, device), show)),
    },
    {
      method: 'GET',
      path: '/devices/:id/installed_apps',
      handle: (call) => withRecord(call, devices, ({ apps }) => page(call, apps, installedAppRecord)),
    },
    {
      method: 'GET',
      path: '/devices/:id/users',
      handle: (call) => withRecord(call, devices, ({ users }) => page(call, users, deviceUserRecord)),
    },
    {
      method: 'DELETE',
      path: '/devices/:id/users/:userId',
      handle: (call) => withRecord(call, devices, (device) => deleteUser(fleet, call, device)),
    },
  ];
}

/** Excludes profiles that groups assign (reference: Devices, List profiles). */
function directProfiles({ profiles }: Fleet, { id }: Device): Profile[] {
  return [...profiles.values()].filter(({ deviceIds }) => deviceIds.has(id));
}

function deleteUser(fleet: Fleet, call: Call, device: Device): ApiResponse {
  if (device.platform !== 'macOS' || device.attributes.is_supervised !== true) {
    return unprocessable('users can be deleted on supervised macOS devices only');
  }
  const user = device.users.find(({ id }) => id === numberInPath(call, 'userId'));
  if (user === undefined) return notFound();
  commandLater(fleet, device.id, (online) => {
    online.users = online.users.filter(({ id }) => id !== user.id);
    writeDeviceLog(fleet, online, { event_type: 'user.deleted', metadata: { username: user.username } });
  });
  return accepted();
}

function deviceUserRecord({ id, ...attributes }: DeviceUser) {
  return { type: 'device_user', id, attributes };
}
