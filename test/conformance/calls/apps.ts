import { expect } from '@jest/globals';
import { all, first } from './call-test.js';
import type { CallTest } from './call-test.js';

const ipa = (name = 'Surf Report.ipa'): File => new File([Uint8Array.of(80, 75, 3, 4, 255)], name);
const nowhere = 999_999;

export const apps: readonly CallTest[] = [
  {
    call: 'GET /apps',
    client: 'apps.list',
    shows: 'all apps, also page by page; shared apps on request',
    run: async ({ api }) => {
      expect((await all(api.apps.list())).map(({ id }) => id)).toEqual([34, 63, 67]);
      const page = await api.apps.listPage({ limit: 2, startingAfter: 34 });
      expect(page).toMatchObject({ data: [{ id: 63 }, { id: 67 }], hasMore: false });
      for (const { attributes } of await all(api.apps.list())) {
        expect(attributes).toMatchObject({
          installation_channels: ['standard'],
          platform_support: 'iOS',
          processing_status: 'processed',
        });
      }
      const shared = (await all(api.apps.list({ includeShared: true }))).filter(
        ({ attributes }) => attributes.app_type === 'shared',
      );
      expect(shared).toHaveLength(1);
      expect((await api.apps.listPage({ limit: 300 })).data).toHaveLength(3);
    },
    refuses: [{ when: 'the page is empty', status: 422, run: ({ api }) => api.apps.listPage({ limit: 0 }) }],
  },
  {
    call: 'GET /apps/{APP_ID}',
    client: 'apps.retrieve',
    shows: 'one app',
    run: async ({ api }) => {
      expect((await api.apps.retrieve(34)).attributes.name).toBe('Afterlight');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.apps.retrieve(nowhere) }],
  },
  {
    call: 'POST /apps',
    client: 'apps.create',
    shows: 'uploads and processes a file; adds a store app by id or bundle identifier',
    run: async ({ api, later }) => {
      const made = await api.apps.create({ binary: ipa() });
      expect(made.attributes).toMatchObject({ app_type: 'enterprise', processing_status: 'processing' });
      later();
      expect((await api.apps.retrieve(made.id)).attributes).toMatchObject({
        name: 'Surf Report',
        processing_status: 'processed',
      });
      const named = await api.apps.create({ binary: ipa('tool.pkg'), name: 'Our Tool' });
      expect(named.attributes.name).toBe('Our Tool');
      const store = await api.apps.create({ appStoreId: 1_090_161_858 });
      expect(store.attributes).toMatchObject({ app_type: 'app store', itunes_store_id: 1_090_161_858 });
      const bundle = await api.apps.create({ bundleId: 'com.myCompany.MyApp1' });
      expect((await api.apps.retrieve(bundle.id)).attributes.bundle_identifier).toBe('com.myCompany.MyApp1');
    },
    refuses: [
      {
        when: 'the file is not an app',
        status: 422,
        run: ({ api }) => api.apps.create({ binary: ipa('report.txt') }),
      },
    ],
  },
  {
    call: 'PATCH /apps/{APP_ID}',
    client: 'apps.update',
    shows: 'a new file raises the version and deploys to outdated devices on request',
    run: async ({ api, later }) => {
      await api.assignmentGroups.assignApp(26, 63);
      await api.assignmentGroups.pushApps(26);
      later();
      await api.apps.update(63, { binary: ipa(), name: 'Surf Report (Updated)', deployTo: 'outdated' });
      later();
      expect((await api.apps.retrieve(63)).attributes).toMatchObject({
        name: 'Surf Report (Updated)',
        version: '2.3',
      });
      const installs = await all(api.apps.listInstalls(63));
      expect(new Set(installs.map(({ attributes }) => attributes.version))).toEqual(new Set(['2.3']));
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.apps.update(nowhere, { name: 'x' }) },
      {
        when: 'the app is a store app and a file is given',
        status: 422,
        run: ({ api }) => api.apps.update(34, { binary: ipa() }),
      },
    ],
  },
  {
    call: 'DELETE /apps/{APP_ID}',
    client: 'apps.delete',
    shows: 'deletes the app, also from its groups',
    run: async ({ api }) => {
      expect(await api.apps.delete(63)).toBe(204);
      expect((await all(api.apps.list())).map(({ id }) => id)).toEqual([34, 67]);
      const group = await api.assignmentGroups.retrieve(38);
      expect(group.relationships?.apps?.data?.map(({ id }) => id)).toEqual([67]);
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.apps.delete(nowhere) }],
  },
  {
    call: 'GET /apps/{APP_ID}/installs',
    client: 'apps.listInstalls',
    shows: 'the devices with the app',
    run: async ({ api, later }) => {
      expect(await all(api.apps.listInstalls(63))).toEqual([]);
      await api.assignmentGroups.pushApps(38);
      later();
      const installs = await all(api.apps.listInstalls(63));
      expect(installs.map(({ relationships }) => relationships?.device?.data?.id)).toContain(54);
      expect(first(installs).attributes).toMatchObject({ name: 'Surf Report', managed: true });
      expect((await api.apps.listInstallsPage(63, { limit: 1 })).data).toHaveLength(1);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => all(api.apps.listInstalls(nowhere)) },
    ],
  },
  {
    call: 'POST /apps/{APP_ID}/munki_pkginfo',
    client: 'apps.uploadMunkiPkginfo',
    shows: 'accepts a pkginfo',
    run: async ({ api }) => {
      expect(await api.apps.uploadMunkiPkginfo(63, new File(['<plist/>'], 'Surf.plist'))).toBe(202);
    },
    refuses: [
      {
        when: 'the app does not exist',
        status: 404,
        run: ({ api }) => api.apps.uploadMunkiPkginfo(nowhere, new File(['<plist/>'], 'x.plist')),
      },
    ],
  },
  {
    call: 'DELETE /apps/{APP_ID}/munki_pkginfo',
    client: 'apps.deleteMunkiPkginfo',
    shows: 'removes a pkginfo',
    run: async ({ api }) => {
      await api.apps.uploadMunkiPkginfo(63, new File(['<plist/>'], 'Surf.plist'));
      expect(await api.apps.deleteMunkiPkginfo(63)).toBe(204);
    },
    refuses: [
      { when: 'the app does not exist', status: 404, run: ({ api }) => api.apps.deleteMunkiPkginfo(nowhere) },
    ],
  },
];
