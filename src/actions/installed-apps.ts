import { z } from 'zod';
import { didYouMean } from '../config/nearest-name.js';
import type { InstalledApp } from '../simplemdm/installed-apps.js';
import { StepError } from './action.js';
import type { ActionContext } from './action.js';
import { defineDeviceAction } from './device-action.js';

const args = z.strictObject({
  /** A bundle identifier such as `com.microsoft.Word`, or the app's name. */
  app: z.string('expected a bundle identifier or a name').min(1, 'expected a bundle identifier or a name'),
});
const outputs = { app_id: 'number', app_name: 'string', app_version: 'string' } as const;

/** Finds an app on the device by its bundle identifier or its name. */
async function appOn(
  deviceId: number,
  wanted: string,
  { api }: ActionContext,
): Promise<InstalledApp | undefined> {
  for await (const app of api.devices.listInstalledApps(deviceId)) {
    if (app.attributes.identifier === wanted || app.attributes.name === wanted) return app;
  }
  return undefined;
}

async function presentApp(deviceId: number, wanted: string, context: ActionContext): Promise<InstalledApp> {
  const found = await appOn(deviceId, wanted, context);
  if (found !== undefined) return found;
  const names: string[] = [];
  for await (const { attributes } of context.api.devices.listInstalledApps(deviceId)) {
    names.push(...[attributes.identifier, attributes.name].flatMap((name) => name ?? []));
  }
  throw new StepError(
    'step/unknown-reference',
    `there is no app "${wanted}" on the device${didYouMean(wanted, names)}`,
  );
}

function managed({ attributes }: InstalledApp, what: string): void {
  if (attributes.managed === true) return;
  throw new StepError(
    'step/app-not-managed',
    `${attributes.name ?? 'the app'} is not managed, so it cannot be ${what}: use request_app_management first`,
  );
}

function left({ id, attributes }: InstalledApp) {
  return { app_id: id, app_name: attributes.name ?? null, app_version: attributes.version ?? null };
}

/** API reference, Installed Apps, Request management of app. */
export const requestAppManagement = defineDeviceAction({
  about: 'Asks the device to let SimpleMDM manage an app that is installed.',
  example: 'request_app_management: { app: com.microsoft.Word }',
  args,
  outputs,
  platforms: ['iOS', 'iPadOS', 'tvOS', 'macOS', 'visionOS'],
  repeatable: true,
  send: async ({ app }, { id }, context) => {
    const found = await presentApp(id, app, context);
    await context.api.installedApps.requestManagement(found.id);
    return left(found);
  },
});

/** API reference, Installed Apps, Install update. */
export const updateApp = defineDeviceAction({
  about: 'Updates a managed app on the device.',
  example: 'update_app: { app: com.microsoft.Word }',
  args,
  outputs,
  repeatable: true,
  send: async ({ app }, { id }, context) => {
    const found = await presentApp(id, app, context);
    managed(found, 'updated');
    await context.api.installedApps.installUpdate(found.id);
    return left(found);
  },
});

/** API reference, Installed Apps, Uninstall. */
export const uninstallApp = defineDeviceAction({
  about: 'Removes a managed app from the device.',
  example: 'uninstall_app: { app: com.example.Game }',
  class: 'disruptive',
  args,
  outputs,
  repeatable: true,
  send: async ({ app }, { id }, context) => {
    const found = await presentApp(id, app, context);
    managed(found, 'uninstalled');
    await context.api.installedApps.uninstall(found.id);
    return left(found);
  },
});
