import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
const route = '/assignment_groups/{ASSIGNMENT_GROUP_ID}';

/** The members of one kind in a group. */
async function members(
  { api }: World,
  groupId: number,
  kind: 'apps' | 'device_groups' | 'devices' | 'profiles',
): Promise<number[] | undefined> {
  const { relationships } = await api.assignmentGroups.retrieve(groupId);
  return relationships?.[kind]?.data?.map(({ id }) => id);
}

/** The tests of two calls that add a member to a group and remove it. */
function pair(
  kind: 'apps' | 'device_groups' | 'devices' | 'profiles',
  placeholder: string,
  [assign, unassign]: readonly [CallTest['client'], CallTest['client']],
  memberId: number,
  act: (world: World, direction: 'assign' | 'unassign', groupId: number, id: number) => Promise<number>,
): CallTest[] {
  const there = async (world: World): Promise<boolean | undefined> =>
    (await members(world, await groupFor(world), kind))?.includes(memberId);
  const unknown = (direction: 'assign' | 'unassign') => [
    {
      when: 'the group does not exist',
      status: 404,
      run: (world: World) => act(world, direction, nowhere, memberId),
    },
    {
      when: `the member to ${direction} does not exist`,
      status: 404,
      run: (world: World) => act(world, direction, 26, nowhere),
    },
  ];
  return [
    {
      call: `POST ${route}/${kind}/{${placeholder}}`,
      client: assign,
      shows: 'adds the member; a second call changes nothing',
      run: async (world) => {
        const group = await groupFor(world);
        expect(await there(world)).toBe(false);
        expect(await act(world, 'assign', group, memberId)).toBe(204);
        expect(await there(world)).toBe(true);
        expect(await act(world, 'assign', group, memberId)).toBe(204);
        expect((await members(world, group, kind))?.filter((id) => id === memberId)).toHaveLength(1);
      },
      refuses: unknown('assign'),
    },
    {
      call: `DELETE ${route}/${kind}/{${placeholder}}`,
      client: unassign,
      shows: 'removes the member; a second call changes nothing',
      run: async (world) => {
        const group = await groupFor(world);
        await act(world, 'assign', group, memberId);
        expect(await act(world, 'unassign', group, memberId)).toBe(204);
        expect(await there(world)).toBe(false);
        expect(await act(world, 'unassign', group, memberId)).toBe(204);
      },
      refuses: unknown('unassign'),
    },
  ];
}

/** An empty group for one test. */
async function groupFor({ api }: World): Promise<number> {
  const known = (await all(api.assignmentGroups.list())).find(({ attributes }) => attributes.name === 'Mine');
  return (known ?? (await api.assignmentGroups.create({ name: 'Mine', autoDeploy: false }))).id;
}

export const assignmentGroups: readonly CallTest[] = [
  {
    call: `GET /assignment_groups`,
    client: 'assignmentGroups.list',
    shows: 'all groups with their members',
    run: async ({ api }) => {
      const groups = await all(api.assignmentGroups.list());
      expect(groups.map(({ id }) => id)).toEqual([26, 38]);
      for (const { attributes, relationships } of groups) {
        expect(attributes).toMatchObject({
          priority: expect.any(Number),
          type: 'standard',
          group_type: 'static',
          install_type: null,
          app_track_location: true,
        });
        expect(relationships?.media?.data).toEqual([]);
      }
      expect((await api.assignmentGroups.listPage({ limit: 1 })).hasMore).toBe(true);
    },
  },
  {
    call: `GET ${route}`,
    client: 'assignmentGroups.retrieve',
    shows: 'one group',
    run: async (world) => {
      expect(await members(world, 26, 'device_groups')).toEqual([37, 38]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.assignmentGroups.retrieve(nowhere) },
    ],
  },
  {
    call: 'POST /assignment_groups',
    client: 'assignmentGroups.create',
    shows: 'creates an empty group with auto_deploy by default',
    run: async ({ api }) => {
      const made = await api.assignmentGroups.create({ name: 'Communication Apps' });
      expect((await api.assignmentGroups.retrieve(made.id)).attributes).toMatchObject({
        name: 'Communication Apps',
        auto_deploy: true,
        type: 'standard',
        group_type: 'static',
      });
      const munki = await api.assignmentGroups.create({
        name: 'Munki',
        autoDeploy: false,
        type: 'munki',
        installType: 'self_serve',
        priority: 3,
        appTrackLocation: false,
      });
      expect(munki.attributes).toMatchObject({
        auto_deploy: false,
        type: 'munki',
        install_type: 'self_serve',
        priority: 3,
        app_track_location: false,
      });
    },
    refuses: [
      {
        when: 'the name is empty',
        status: 422,
        run: ({ api }) => api.assignmentGroups.create({ name: '' }),
      },
    ],
  },
  {
    call: `PATCH ${route}`,
    client: 'assignmentGroups.update',
    shows: 'changes only the given attributes',
    run: async ({ api }) => {
      expect(await api.assignmentGroups.update(26, { autoDeploy: false })).toBe(204);
      expect((await api.assignmentGroups.retrieve(26)).attributes).toMatchObject({
        name: 'SimpleMDM',
        auto_deploy: false,
      });
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.assignmentGroups.update(nowhere, { name: 'x' }),
      },
    ],
  },
  {
    call: `DELETE ${route}`,
    client: 'assignmentGroups.delete',
    shows: 'deletes the group',
    run: async ({ api }) => {
      expect(await api.assignmentGroups.delete(26)).toBe(204);
      expect((await all(api.assignmentGroups.list())).map(({ id }) => id)).toEqual([38]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.assignmentGroups.delete(nowhere) },
    ],
  },
  ...pair(
    'apps',
    'APP_ID',
    ['assignmentGroups.assignApp', 'assignmentGroups.unassignApp'],
    34,
    ({ api }, direction, group, id) => api.assignmentGroups[`${direction}App`](group, id),
  ),
  ...pair(
    'device_groups',
    'DEVICE_GROUP_ID',
    ['assignmentGroups.assignDeviceGroup', 'assignmentGroups.unassignDeviceGroup'],
    41,
    ({ api }, direction, group, id) => api.assignmentGroups[`${direction}DeviceGroup`](group, id),
  ),
  ...pair(
    'devices',
    'DEVICE_ID',
    ['assignmentGroups.assignDevice', 'assignmentGroups.unassignDevice'],
    121,
    ({ api }, direction, group, id) => api.assignmentGroups[`${direction}Device`](group, id),
  ),
  {
    call: `POST ${route}/push_apps`,
    client: 'assignmentGroups.pushApps',
    shows: 'installs the apps of the group on its devices; asynchronous',
    run: async ({ api, later }) => {
      const names = async () =>
        (await all(api.devices.listInstalledApps(54))).map(({ attributes }) => attributes.name);
      expect(await api.assignmentGroups.pushApps(38)).toBe(202);
      expect(await names()).not.toContain('Surf Report');
      later();
      expect(await names()).toContain('Surf Report');
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.assignmentGroups.pushApps(nowhere) },
    ],
  },
  {
    call: `POST ${route}/update_apps`,
    client: 'assignmentGroups.updateApps',
    shows: 'updates installed apps to the version of the catalog',
    run: async ({ api, later }) => {
      await api.assignmentGroups.pushApps(38);
      later();
      await api.apps.update(63, { binary: new File(['x'], 'Surf.ipa') });
      expect(await api.assignmentGroups.updateApps(38)).toBe(202);
      later();
      const installs = await all(api.apps.listInstalls(63));
      expect(new Set(installs.map(({ attributes }) => attributes.version))).toEqual(new Set(['2.3']));
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.assignmentGroups.updateApps(nowhere) },
    ],
  },
  ...pair(
    'profiles',
    'PROFILE_ID',
    ['assignmentGroups.assignProfile', 'assignmentGroups.unassignProfile'],
    13,
    ({ api }, direction, group, id) => api.assignmentGroups[`${direction}Profile`](group, id),
  ),
  {
    call: `POST ${route}/sync_profiles`,
    client: 'assignmentGroups.syncProfiles',
    shows: 'allows one call per thirty seconds',
    run: async ({ api, later }) => {
      expect(await api.assignmentGroups.syncProfiles(26)).toBe(204);
      later(30_000);
      expect(await api.assignmentGroups.syncProfiles(26)).toBe(204);
    },
    refuses: [
      {
        when: 'the last call was less than thirty seconds ago',
        status: 429,
        run: async ({ api }) => {
          await api.assignmentGroups.syncProfiles(26);
          return api.assignmentGroups.syncProfiles(26);
        },
      },
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.assignmentGroups.syncProfiles(nowhere),
      },
    ],
  },
  {
    call: `POST ${route}/clone`,
    client: 'assignmentGroups.clone',
    shows: 'creates a copy with the apps, profiles and devices',
    run: async (world) => {
      const { api } = world;
      await api.assignmentGroups.assignProfile(38, 13);
      expect(await api.assignmentGroups.clone(38)).toBe(204);
      const copy = (await all(api.assignmentGroups.list())).find(
        ({ attributes }) => attributes.name === 'Productivity Apps (1)',
      );
      expect(await members(world, copy?.id ?? 0, 'apps')).toEqual([63, 67]);
      expect(await members(world, copy?.id ?? 0, 'profiles')).toEqual([13]);
      expect(await members(world, copy?.id ?? 0, 'devices')).toEqual([54]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.assignmentGroups.clone(nowhere) },
    ],
  },
];
