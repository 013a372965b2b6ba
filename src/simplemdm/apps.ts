import { z } from 'zod';
import type { Upload } from './request.js';
import { installedApp } from './installed-apps.js';
import { fetchRecord, listOf, nestedListOf, send } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { numberField, textField } from './field-types.js';

const app = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    bundle_identifier: textField,
    /** `app store`, `enterprise`, `custom b2b`; `shared` for an app of the shared catalog. */
    app_type: textField,
    version: textField,
    itunes_store_id: numberField,
    installation_channels: z.array(z.string()).nullish(),
    platform_support: textField,
    processing_status: textField,
  }),
});

/** An app in the app catalog. */
export type App = z.output<typeof app>;

/** Filters for the list of apps. */
export interface AppListOptions {
  /** Includes the apps that SimpleMDM shares with all accounts (API 1.51). */
  readonly includeShared?: boolean;
}

/** A new app: from the App Store, or a file. */
export type NewApp =
  | { readonly appStoreId: number | string }
  | { readonly bundleId: string }
  | {
      /** An `ipa` or `pkg` file. */
      readonly binary: Upload;
      /** The name in the file by default. */
      readonly name?: string;
    };

/** The changes of an app. */
export interface AppChanges {
  readonly binary?: Upload;
  readonly name?: string;
  /** The devices that get the new file immediately; `none` by default. */
  readonly deployTo?: 'none' | 'outdated' | 'all';
}

/** API reference, section Apps. */
export function createApps(transport: Transport) {
  const listRequest = (options: AppListOptions = {}): ListRequest => ({
    route: '/apps',
    query: { include_shared: options.includeShared },
  });
  const routeTo = (appId: number) => ({ route: '/apps/{APP_ID}', params: { APP_ID: appId } });
  const installs = nestedListOf(transport, installedApp, (appId) => ({
    route: '/apps/{APP_ID}/installs',
    params: { APP_ID: appId },
  }));
  const munki = (appId: number) => ({ route: '/apps/{APP_ID}/munki_pkginfo', params: { APP_ID: appId } });
  return {
    /** List all: `GET /apps`. */
    ...listOf(transport, app, listRequest),

    /** Retrieve one: `GET /apps/{APP_ID}`. */
    retrieve: (appId: number): Promise<App> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(appId) }, app),

    /**
     * Create: `POST /apps`. A file is streamed; SimpleMDM processes the file after the response.
     *
     * @throws SimpleMdmError 422 when the App Store does not have the app or the file is not an app.
     */
    create: (newApp: NewApp): Promise<App> =>
      fetchRecord(
        transport,
        {
          method: 'POST',
          route: '/apps',
          ...('binary' in newApp
            ? { files: { binary: newApp.binary }, body: { name: newApp.name } }
            : {
                body:
                  'appStoreId' in newApp
                    ? { app_store_id: newApp.appStoreId }
                    : { bundle_id: newApp.bundleId },
              }),
        },
        app,
      ),

    /** Update: `PATCH /apps/{APP_ID}`. Not retried after a lost response, because the call may deploy to devices. */
    update: (appId: number, { binary, name, deployTo }: AppChanges): Promise<App> =>
      fetchRecord(
        transport,
        {
          method: 'PATCH',
          ...routeTo(appId),
          body: { name, deploy_to: deployTo },
          ...(binary && { files: { binary } }),
        },
        app,
      ),

    /** Delete: `DELETE /apps/{APP_ID}`. */
    delete: (appId: number): Promise<number> => send(transport, { method: 'DELETE', ...routeTo(appId) }),

    /** List installs: `GET /apps/{APP_ID}/installs`, each with its device. */
    listInstalls: installs.list,

    /** One page of {@link listInstalls}. */
    listInstallsPage: installs.listPage,

    /** Upload a Munki pkginfo: `POST /apps/{APP_ID}/munki_pkginfo` (API 1.51). */
    uploadMunkiPkginfo: (appId: number, file: Upload): Promise<number> =>
      send(transport, { method: 'POST', ...munki(appId), files: { file }, idempotent: true }),

    /** Delete the Munki pkginfo: `DELETE /apps/{APP_ID}/munki_pkginfo` (API 1.51). */
    deleteMunkiPkginfo: (appId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...munki(appId) }),
  };
}
