import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { DeviceUser, Fleet, Profile } from '../fleet/fleet.js';
import { installedAppRecord } from './installed-apps.js';
import { withRecord } from './retrieve.js';

/**
 * The calls of the reference's section Devices that list what is on a device: profiles, installed apps, users.
 * Users exist on Macs only; for any other device the list is empty.
 */
export function deviceInventoryRoutes({ devices }: Fleet): Route[] {
  return [
    {
      method: 'GET',
      path: '/devices/:id/profiles',
      handle: (call) => withRecord(call, devices, ({ profiles }) => page(call, profiles, profileRecord)),
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
  ];
}

function profileRecord({ id, ...attributes }: Profile) {
  return { type: 'custom_configuration_profile', id, attributes };
}

function deviceUserRecord({ id, ...attributes }: DeviceUser) {
  return { type: 'device_user', id, attributes };
}
