import { notFound, ok } from '../api/answer.js';
import { numberInPath, type Route } from '../api/route.js';
import type { Fleet, InstalledApp } from '../fleet/fleet.js';

/** The calls of the reference's section Installed Apps. */
export function installedAppRoutes({ devices }: Fleet): Route[] {
  return [
    {
      method: 'GET',
      path: '/installed_apps/:id',
      handle: (call) => {
        const id = numberInPath(call, 'id');
        const found = [...devices.values()].flatMap(({ apps }) => apps).find((app) => app.id === id);
        return found === undefined ? notFound() : ok({ data: installedAppRecord(found) });
      },
    },
  ];
}

/** An app on a device as the API shows it (reference: Installed Apps, Retrieve one). */
export function installedAppRecord({ id, ...attributes }: InstalledApp) {
  return { type: 'installed_app', id, attributes };
}
