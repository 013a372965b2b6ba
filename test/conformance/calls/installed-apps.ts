import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
/** Sunset Run (managed) on the iPad; Airbnb (not managed) and 1Password (managed) on the iPhone. */
const managed = 6632;
const unmanaged = 618;

const versionOf = async ({ api }: World, id: number) =>
  (await api.installedApps.retrieve(id)).attributes.version;

export const installedApps: readonly CallTest[] = [
  {
    call: 'GET /installed_apps/{INSTALLED_APP_ID}',
    client: 'installedApps.retrieve',
    shows: 'one installed app',
    run: async ({ api }) => {
      expect((await api.installedApps.retrieve(managed)).attributes.name).toBe('Sunset Run');
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.installedApps.retrieve(nowhere) },
    ],
  },
  {
    call: 'POST /installed_apps/{INSTALLED_APP_ID}/request_management',
    client: 'installedApps.requestManagement',
    shows: 'takes over management of the app; asynchronous',
    run: async ({ api, later }) => {
      expect(await api.installedApps.requestManagement(unmanaged)).toBe(202);
      expect((await api.installedApps.retrieve(unmanaged)).attributes.managed).toBe(false);
      later();
      expect((await api.installedApps.retrieve(unmanaged)).attributes.managed).toBe(true);
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.installedApps.requestManagement(nowhere),
      },
    ],
  },
  {
    call: 'POST /installed_apps/{INSTALLED_APP_ID}/update',
    client: 'installedApps.installUpdate',
    shows: 'updates the app; asynchronous',
    run: async (world) => {
      const before = await versionOf(world, managed);
      expect(await world.api.installedApps.installUpdate(managed)).toBe(202);
      world.later();
      expect(await versionOf(world, managed)).not.toBe(before);
    },
    refuses: [
      {
        when: 'the app is not managed',
        status: 422,
        run: ({ api }) => api.installedApps.installUpdate(unmanaged),
      },
      { when: 'it does not exist', status: 404, run: ({ api }) => api.installedApps.installUpdate(nowhere) },
    ],
  },
  {
    call: 'DELETE /installed_apps/{INSTALLED_APP_ID}',
    client: 'installedApps.uninstall',
    shows: 'uninstalls the app; asynchronous',
    run: async ({ api, later }) => {
      expect(await api.installedApps.uninstall(managed)).toBe(202);
      later();
      expect((await all(api.devices.listInstalledApps(98))).map(({ id }) => id)).not.toContain(managed);
    },
    refuses: [
      {
        when: 'the app is not managed',
        status: 422,
        run: ({ api }) => api.installedApps.uninstall(unmanaged),
      },
      { when: 'it does not exist', status: 404, run: ({ api }) => api.installedApps.uninstall(nowhere) },
    ],
  },
];
