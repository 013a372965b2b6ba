import { accepted, notFound, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { numberInPath, type Call, type Route } from '../api/route.js';
import type { AppOnDevice } from '../fleet/device-table.js';
import type { InstalledApp } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { commandLater } from '../scenarios/command.js';

/** The calls of the reference's section Installed Apps. */
export function installedAppRoutes(fleet: Fleet): Route[] {
  const withApp = (call: Call, handle: (found: AppOnDevice) => ApiResponse): ApiResponse => {
    const id = numberInPath(call, 'id');
    const found = id === undefined ? undefined : fleet.devices.installedApp(id);
    return found === undefined ? notFound() : handle(found);
  };
  return [
    {
      method: 'GET',
      path: '/installed_apps/:id',
      handle: (call) => withApp(call, ({ app }) => ok({ data: installedAppRecord(app) })),
    },
    {
      method: 'POST',
      path: '/installed_apps/:id/request_management',
      handle: (call) =>
        withApp(call, ({ device, app }) => {
          if (device.platform === 'unknown') return unprocessable('device is not supported');
          changeLater(fleet, device.id, app.id, 'app.managed', (installed) => (installed.managed = true));
          return accepted();
        }),
    },
    {
      method: 'POST',
      path: '/installed_apps/:id/update',
      handle: (call) =>
        withApp(call, ({ device, app }) => {
          if (!app.managed) return unprocessable('app must be managed');
          changeLater(fleet, device.id, app.id, 'app.updated', (installed) => {
            const known = [...fleet.apps.values()].find(
              ({ bundle_identifier }) => bundle_identifier === installed.identifier,
            );
            installed.version = known?.version ?? `${installed.version}.1`;
            installed.short_version = installed.version;
          });
          return accepted();
        }),
    },
    {
      method: 'DELETE',
      path: '/installed_apps/:id',
      handle: (call) =>
        withApp(call, ({ device, app }) => {
          if (!app.managed) return unprocessable('app must be managed');
          commandLater(fleet, device.id, (online) => {
            online.apps = online.apps.filter(({ id }) => id !== app.id);
            writeDeviceLog(fleet, online, { event_type: 'app.removed', metadata: { name: app.name } });
          });
          return accepted();
        }),
    },
  ];
}

function changeLater(
  fleet: Fleet,
  deviceId: number,
  appId: number,
  event_type: string,
  change: (app: InstalledApp) => void,
): void {
  commandLater(fleet, deviceId, (device) => {
    const app = device.apps.find(({ id }) => id === appId);
    if (app === undefined) return;
    change(app);
    writeDeviceLog(fleet, device, { event_type, metadata: { name: app.name } });
  });
}

/** The API record of an installed app (reference: Installed Apps, Retrieve one). */
export function installedAppRecord({ id, ...attributes }: InstalledApp) {
  return { type: 'installed_app', id, attributes };
}
