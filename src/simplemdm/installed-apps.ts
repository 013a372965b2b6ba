import { z } from 'zod';
import { fetchRecord, linkTo, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

/** The attributes of an app on a device. */
export const installedAppAttributes = z.looseObject({
  name: textField,
  identifier: textField,
  version: textField,
  short_version: textField,
  bundle_size: numberField,
  dynamic_size: numberField,
  managed: flagField,
  discovered_at: textField,
  last_seen_at: textField,
});

/** The schema of an app on a device. */
export const installedApp = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: installedAppAttributes,
  /** The device; only in the list of an app's installs. */
  relationships: z.looseObject({ device: linkTo }).nullish(),
});

/** An app on a device. */
export type InstalledApp = z.output<typeof installedApp>;

/** API reference, section Installed Apps. `devices` has the list. */
export function createInstalledApps(transport: Transport) {
  const routeTo = (installedAppId: number, rest = '') => ({
    route: `/installed_apps/{INSTALLED_APP_ID}${rest}`,
    params: { INSTALLED_APP_ID: installedAppId },
  });
  return {
    /** Retrieve one: `GET /installed_apps/{INSTALLED_APP_ID}`. */
    retrieve: (installedAppId: number): Promise<InstalledApp> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(installedAppId) }, installedApp),

    /** Request management of app: `POST /installed_apps/{INSTALLED_APP_ID}/request_management`. iOS, tvOS and macOS 11 or later. */
    requestManagement: (installedAppId: number): Promise<number> =>
      send(transport, {
        method: 'POST',
        ...routeTo(installedAppId, '/request_management'),
        idempotent: true,
      }),

    /**
     * Install update: `POST /installed_apps/{INSTALLED_APP_ID}/update`.
     *
     * @throws SimpleMdmError 422 when the app is not managed.
     */
    installUpdate: (installedAppId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(installedAppId, '/update'), idempotent: true }),

    /**
     * Uninstall: `DELETE /installed_apps/{INSTALLED_APP_ID}`. Asynchronous.
     *
     * @throws SimpleMdmError 422 when the app is not managed.
     */
    uninstall: (installedAppId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(installedAppId) }),
  };
}
