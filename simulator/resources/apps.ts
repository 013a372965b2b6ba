import { created, noContent, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { fileParam, flagParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { App, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { installLater } from '../scenarios/install-apps.js';
import { installedAppRecord } from './installed-apps.js';
import { retrieve, withRecord, type Records } from './retrieve.js';

/** The calls of the reference's section Apps, and those of API 1.51 about Munki. */
export function appRoutes(fleet: Fleet): Route[] {
  const { apps, munkiPkginfos } = fleet;
  return [
    { method: 'GET', path: '/apps', handle: (call) => page(call, listed(fleet, call), appRecord) },
    { method: 'POST', path: '/apps', handle: (call) => createApp(fleet, call) },
    { method: 'GET', path: '/apps/:id', handle: (call) => retrieve(call, readable(fleet), appRecord) },
    {
      method: 'PATCH',
      path: '/apps/:id',
      handle: (call) => withRecord(call, apps, (app) => updateApp(fleet, call, app)),
    },
    {
      method: 'DELETE',
      path: '/apps/:id',
      handle: (call) => withRecord(call, apps, (app) => deleteApp(fleet, app)),
    },
    {
      method: 'GET',
      path: '/apps/:id/installs',
      handle: (call) => withRecord(call, apps, (app) => page(call, installs(fleet, app), (record) => record)),
    },
    {
      method: 'POST',
      path: '/apps/:id/munki_pkginfo',
      handle: (call) =>
        withRecord(call, apps, ({ id }) => {
          const file = fileParam(call.params, 'file');
          if (file === undefined) return unprocessable('file is required');
          munkiPkginfos.set(id, file.content.toString('utf8'));
          return { status: 202 };
        }),
    },
    {
      method: 'DELETE',
      path: '/apps/:id/munki_pkginfo',
      handle: (call) =>
        withRecord(call, apps, ({ id }) => {
          munkiPkginfos.delete(id);
          return noContent();
        }),
    },
  ];
}

/** An app that SimpleMDM offers to all accounts; listed with `include_shared` (API 1.51). */
const sharedApp: App = {
  id: 5,
  name: 'SimpleMDM',
  app_type: 'shared',
  bundle_identifier: 'com.unwiredrev.SimpleMDM',
  version: '7.2',
  ...catalogState('iOS'),
};

/** A shared app can be read like any other; it cannot be changed or deleted. */
function readable({ apps }: Fleet): Records<App> {
  return { get: (id) => (id === sharedApp.id ? sharedApp : apps.get(id)) };
}

/** The attributes of a processed app that the reference lacks. */
export function catalogState(platform_support: App['platform_support']) {
  return { installation_channels: ['standard'], platform_support, processing_status: 'processed' } as const;
}

function listed({ apps }: Fleet, call: Call): App[] {
  const shared = flagParam(call.params, 'include_shared') ?? false;
  return shared ? [sharedApp, ...apps.values()] : [...apps.values()];
}

function createApp(fleet: Fleet, call: Call): ApiResponse {
  const storeId = textParam(call.params, 'app_store_id');
  const bundleId = textParam(call.params, 'bundle_id');
  const binary = fileParam(call.params, 'binary');
  const given = [storeId, bundleId, binary].filter((source) => source !== undefined);
  if (given.length !== 1) {
    return unprocessable('one and only one of app_store_id, bundle_id, or binary must be specified');
  }
  if (storeId !== undefined && !/^\d+$/.test(storeId)) return unprocessable('app_store_id must be a number');
  const id = fleet.nextId('app');
  let app: App;
  if (binary === undefined) {
    app = {
      id,
      name: `App Store app ${storeId ?? bundleId ?? ''}`,
      bundle_identifier: bundleId ?? `com.example.app${storeId ?? ''}`,
      app_type: 'app store',
      itunes_store_id: storeId === undefined ? 1_000_000_000 + id : Number(storeId),
      ...catalogState('iOS'),
    };
  } else {
    const [, base = '', extension = ''] = /^(.*)\.(ipa|pkg)$/i.exec(binary.filename) ?? [];
    if (extension === '') return unprocessable('binary must be an ipa or pkg file');
    const name = textParam(call.params, 'name') ?? base;
    app = {
      id,
      name,
      app_type: 'enterprise',
      version: '1.0',
      bundle_identifier: `com.example.${base.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`,
      installation_channels: extension.toLowerCase() === 'pkg' ? ['standard', 'munki'] : ['standard'],
      platform_support: extension.toLowerCase() === 'pkg' ? 'macOS' : 'iOS',
      processing_status: 'processing',
    };
    fleet.clock.after(fleet.delays.appProcessingMs, () => (app.processing_status = 'processed'));
  }
  fleet.apps.set(id, app);
  writeAdminLog(fleet, 'app.created', { app_id: id });
  return created({ data: appRecord(app) });
}

const deployments = ['none', 'outdated', 'all'];

function updateApp(fleet: Fleet, call: Call, app: App): ApiResponse {
  const binary = fileParam(call.params, 'binary');
  const deployTo = textParam(call.params, 'deploy_to') ?? 'none';
  if (!deployments.includes(deployTo)) return unprocessable('deploy_to must be none, outdated, or all');
  if (binary !== undefined && app.app_type !== 'enterprise') {
    return unprocessable('binary can be updated for enterprise apps only');
  }
  app.name = textParam(call.params, 'name') ?? app.name;
  if (binary !== undefined) app.version = nextVersion(app.version ?? '0.9');
  if (deployTo !== 'none') {
    for (const device of fleet.devices.values()) {
      const present = device.apps.find(({ identifier }) => identifier === app.bundle_identifier);
      const outdated = present !== undefined && present.version !== app.version;
      if (present !== undefined && (deployTo === 'all' || outdated)) installLater(fleet, device.id, [app.id]);
    }
  }
  writeAdminLog(fleet, 'app.updated', { app_id: app.id });
  return ok({ data: appRecord(app) });
}

/** `2.2` becomes `2.3`. */
function nextVersion(version: string): string {
  const parts = version.split('.');
  const last = Number(parts.at(-1));
  return [...parts.slice(0, -1), Number.isNaN(last) ? 1 : last + 1].join('.');
}

function deleteApp(fleet: Fleet, { id }: App): ApiResponse {
  fleet.apps.delete(id);
  for (const group of fleet.assignmentGroups.values()) group.apps.delete(id);
  for (const config of [...fleet.managedAppConfigs.values()]) {
    if (config.appId === id) fleet.managedAppConfigs.delete(config.id);
  }
  writeAdminLog(fleet, 'app.deleted', { app_id: id });
  return noContent();
}

function* installs({ devices }: Fleet, app: App) {
  if (app.bundle_identifier === undefined) return;
  for (const { id, apps } of devices.values()) {
    for (const installed of apps) {
      if (installed.identifier !== app.bundle_identifier) continue;
      const relationships = { device: { data: { type: 'device', id } } };
      yield { ...installedAppRecord(installed), relationships };
    }
  }
}

function appRecord({ id, ...attributes }: App) {
  return { type: 'app', id, attributes };
}
