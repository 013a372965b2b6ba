import { accepted, created, noContent, notFound, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import { numberInPath, type Call, type Route } from '../api/route.js';
import type { App, Fleet, ManagedAppConfig } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { withRecord } from './retrieve.js';

/** The calls of the reference's section Managed App Configs. */
export function managedAppConfigRoutes(fleet: Fleet): Route[] {
  const { apps, managedAppConfigs } = fleet;
  const ofApp = ({ id }: App) => [...managedAppConfigs.values()].filter(({ appId }) => appId === id);
  return [
    {
      method: 'GET',
      path: '/apps/:id/managed_configs',
      handle: (call) => withRecord(call, apps, (app) => page(call, ofApp(app), configRecord)),
    },
    {
      method: 'POST',
      path: '/apps/:id/managed_configs',
      handle: (call) => withRecord(call, apps, (app) => createConfig(fleet, call, app)),
    },
    {
      method: 'DELETE',
      path: '/apps/:id/managed_configs/:configId',
      handle: (call) =>
        withRecord(call, apps, (app) => {
          const config = ofApp(app).find(({ id }) => id === numberInPath(call, 'configId'));
          if (config === undefined) return notFound();
          managedAppConfigs.delete(config.id);
          return noContent();
        }),
    },
    {
      method: 'POST',
      path: '/apps/:id/managed_configs/push',
      handle: (call) =>
        withRecord(call, apps, ({ id }) => {
          writeAdminLog(fleet, 'managed_config.pushed', { app_id: id });
          return accepted();
        }),
    },
  ];
}

const list = (item: RegExp) => new RegExp(`^\\s*${item.source}\\s*(,\\s*${item.source}\\s*)*$`);
const integer = /-?\d+/;
const float = /-?\d+(?:\.\d+)?/;
const quoted = /"[^"]*"/;

/** The format of each value type (reference: Managed App Configs, Value Types and Value Formats). */
const formats = new Map<string, (value: string) => boolean>([
  ['boolean', (value) => value === '0' || value === '1'],
  ['date', (value) => !Number.isNaN(Date.parse(value))],
  ['float', (value) => new RegExp(`^${float.source}$`).test(value)],
  ['float array', (value) => list(float).test(value)],
  ['integer', (value) => new RegExp(`^${integer.source}$`).test(value)],
  ['integer array', (value) => list(integer).test(value)],
  ['string', () => true],
  ['string array', (value) => list(quoted).test(value)],
]);

function createConfig(fleet: Fleet, call: Call, app: App): ApiResponse {
  const key = textParam(call.params, 'key');
  const value = textParam(call.params, 'value') ?? '';
  const value_type = textParam(call.params, 'value_type') ?? 'string';
  if (key === undefined) return unprocessable('key is required');
  const isOfType = formats.get(value_type);
  if (isOfType === undefined)
    return unprocessable(`value_type must be one of ${[...formats.keys()].join(', ')}`);
  if (!isOfType(value)) return unprocessable(`value is not a valid ${value_type}`);
  const config = { id: fleet.nextId('managedAppConfig'), appId: app.id, key, value, value_type };
  fleet.managedAppConfigs.set(config.id, config);
  return created({ data: configRecord(config) });
}

function configRecord({ id, key, value, value_type }: ManagedAppConfig) {
  return { type: 'managed_config', id, attributes: { key, value, value_type } };
}
