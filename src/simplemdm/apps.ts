import { z } from 'zod';
import type { Upload } from './request.js';
import { installedApp } from './installed-apps.js';
import type { InstalledApp } from './installed-apps.js';
import { fetchAll, fetchPage, fetchRecord, send } from './resource.js';
import type { ListRequest, Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { number, text } from './field-types.js';

const app = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    name: text,
    bundle_identifier: text,
    /** `app store`, `enterprise`, `custom b2b`. */
    app_type: text,
    version: text,
    itunes_store_id: number,
    installation_channels: z.array(z.string()).nullish(),
    platform_support: text,
    processing_status: text,
  }),
});

/** An app of the catalog. */
export type App = z.output<typeof app>;

/** What narrows a list of apps. */
export interface AppListOptions {
  /** With the apps that SimpleMDM shares with all accounts (API 1.51). */
  readonly includeShared?: boolean;
}

/** An app to add: one of the App Store, or a file. */
export type NewApp =
  | { readonly appStoreId: number | string }
  | { readonly bundleId: string }
  | {
      /** An `ipa` or `pkg`. */
      readonly binary: Upload;
      /** Left out: the name in the file. */
      readonly name?: string;
    };

/** What can be changed of an app. */
export interface AppChanges {
  readonly binary?: Upload;
  readonly name?: string;
  /** Which devices get the new file at once; `none` when left out. */
  readonly deployTo?: 'none' | 'outdated' | 'all';
}

/** API reference, section Apps. */
export function createApps(transport: Transport) {
  const listed = ({ includeShared }: AppListOptions = {}): ListRequest => ({
    route: '/apps',
    query: { include_shared: includeShared },
  });
  const one = (appId: number) => ({ route: '/apps/{APP_ID}', params: { APP_ID: appId } });
  const installs = (appId: number): ListRequest => ({
    route: '/apps/{APP_ID}/installs',
    params: { APP_ID: appId },
  });
  const munki = (appId: number) => ({ route: '/apps/{APP_ID}/munki_pkginfo', params: { APP_ID: appId } });
  return {
    /** List all: `GET /apps`. */
    list: (options?: AppListOptions): AsyncGenerator<App> => fetchAll(transport, listed(options), app),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions, options?: AppListOptions): Promise<Page<App>> =>
      fetchPage(transport, listed(options), app, page),

    /** Retrieve one: `GET /apps/{APP_ID}`. */
    retrieve: (appId: number): Promise<App> => fetchRecord(transport, { method: 'GET', ...one(appId) }, app),

    /**
     * Create: `POST /apps`. A file is streamed; it is processed after the answer.
     *
     * @throws SimpleMdmError 422 when the app is not in the App Store or the file is no app.
     */
    create: (given: NewApp): Promise<App> =>
      fetchRecord(
        transport,
        {
          method: 'POST',
          route: '/apps',
          ...('binary' in given
            ? { files: { binary: given.binary }, body: { name: given.name } }
            : {
                body:
                  'appStoreId' in given ? { app_store_id: given.appStoreId } : { bundle_id: given.bundleId },
              }),
        },
        app,
      ),

    /** Update: `PATCH /apps/{APP_ID}`. Not repeated by itself: it may deploy to devices. */
    update: (appId: number, { binary, name, deployTo }: AppChanges): Promise<App> =>
      fetchRecord(
        transport,
        {
          method: 'PATCH',
          ...one(appId),
          body: { name, deploy_to: deployTo },
          ...(binary && { files: { binary } }),
        },
        app,
      ),

    /** Delete: `DELETE /apps/{APP_ID}`. */
    delete: (appId: number): Promise<number> => send(transport, { method: 'DELETE', ...one(appId) }),

    /** List installs: `GET /apps/{APP_ID}/installs`, each with the device that the app is on. */
    listInstalls: (appId: number): AsyncGenerator<InstalledApp> =>
      fetchAll(transport, installs(appId), installedApp),

    /** One page of {@link listInstalls}. */
    listInstallsPage: (appId: number, page?: PageOptions): Promise<Page<InstalledApp>> =>
      fetchPage(transport, installs(appId), installedApp, page),

    /** Upload a Munki pkginfo: `POST /apps/{APP_ID}/munki_pkginfo` (API 1.51). */
    uploadMunkiPkginfo: (appId: number, file: Upload): Promise<number> =>
      send(transport, { method: 'POST', ...munki(appId), files: { file }, idempotent: true }),

    /** Delete the Munki pkginfo: `DELETE /apps/{APP_ID}/munki_pkginfo` (API 1.51). */
    deleteMunkiPkginfo: (appId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...munki(appId) }),
  };
}
