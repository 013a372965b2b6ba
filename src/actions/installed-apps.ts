import { z } from 'zod';
import { didYouMean } from '../errors/did-you-mean.js';
import type { InstalledApp } from '../simplemdm/installed-apps.js';
import { StepError } from './action.js';
import type { ActionContext } from './action.js';
import { defineDeviceAction } from './device-action.js';

const args = z.strictObject({
  /** A bundle identifier such as `com.microsoft.Word`, or the name of the app. */
  app: z.string('expected a bundle identifier or a name').min(1, 'expected a bundle identifier or a name'),
});
const outputs = { app_id: 'number', app_name: 'string', app_version: 'string' } as const;

/** Finds an app on the device by bundle identifier or name. */
async function findApp(deviceId: number, wanted: string, { api }: ActionContext): Promise<InstalledApp> {
  const names: string[] = [];
  for await (const app of api.devices.listInstalledApps(deviceId)) {
    const { identifier, name } = app.attributes;
    if (identifier === wanted || name === wanted) return app;
    names.push(...[identifier, name].flatMap((known) => known ?? []));
  }
  throw new StepError(
    'step/unknown-reference',
    `there is no app "${wanted}" on the device${didYouMean(wanted, names)}`,
  );
}

async function findManagedApp(
  deviceId: number,
  wanted: string,
  context: ActionContext,
  purpose: string,
): Promise<InstalledApp> {
  const app = await findApp(deviceId, wanted, context);
  // SimpleMDM decides when the record does not say.
  if (app.attributes.managed !== false) return app;
  throw new StepError(
    'step/app-not-managed',
    `${app.attributes.name ?? 'the app'} is not managed, so it cannot be ${purpose}: use request_app_management first`,
  );
}

function outputOf({ id, attributes }: InstalledApp) {
  return { app_id: id, app_name: attributes.name ?? null, app_version: attributes.version ?? null };
}

/** API reference, Installed Apps, Request management of app. */
export const requestAppManagement = defineDeviceAction({
  about: 'Asks the device to let SimpleMDM manage an installed app.',
  example: 'request_app_management: { app: com.microsoft.Word }',
  args,
  outputs,
  platforms: ['iOS', 'iPadOS', 'tvOS', 'macOS', 'visionOS'],
  repeatable: true,
  send: async ({ app }, { id }, context) => {
    const found = await findApp(id, app, context);
    await context.api.installedApps.requestManagement(found.id);
    return outputOf(found);
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
    const found = await findManagedApp(id, app, context, 'updated');
    await context.api.installedApps.installUpdate(found.id);
    return outputOf(found);
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
    const found = await findManagedApp(id, app, context, 'uninstalled');
    await context.api.installedApps.uninstall(found.id);
    return outputOf(found);
  },
});
