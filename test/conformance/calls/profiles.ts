import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
const own = '/custom_configuration_profiles';

const mobileconfig = (name: string): File =>
  new File(
    [`<?xml version="1.0"?><plist version="1.0"><dict><!-- ${name} ü --></dict></plist>`],
    'x.mobileconfig',
  );

/** The tests of the four calls that assign a profile and remove it. */
function assignments(
  list: string,
  resource: 'customConfigurationProfiles' | 'profiles',
  profileId: number,
): CallTest[] {
  const counts = async ({ api }: World) => {
    const profile = (await all(api.profiles.list())).find(({ id }) => id === profileId);
    return profile?.attributes;
  };
  const onDevice = async ({ api }: World, deviceId: number) =>
    (await all(api.devices.listProfiles(deviceId))).some(({ id }) => id === profileId);
  return [
    {
      call: `POST ${list}/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`,
      client: `${resource}.assignToDeviceGroup`,
      shows: 'adds the group to the counts; a second call changes nothing',
      run: async (world) => {
        const { api } = world;
        expect(await api[resource].assignToDeviceGroup(profileId, 41)).toBe(204);
        const after = await counts(world);
        expect(await api[resource].assignToDeviceGroup(profileId, 41)).toBe(204);
        expect(await counts(world)).toEqual(after);
        expect(after?.group_count).toBe(1);
        // The device does not list a profile that a group assigns.
        expect(await onDevice(world, 54)).toBe(false);
      },
      refuses: [
        {
          when: 'the profile does not exist',
          status: 404,
          run: ({ api }) => api[resource].assignToDeviceGroup(nowhere, 41),
        },
        {
          when: 'the group does not exist',
          status: 404,
          run: ({ api }) => api[resource].assignToDeviceGroup(profileId, nowhere),
        },
      ],
    },
    {
      call: `DELETE ${list}/{PROFILE_ID}/device_groups/{DEVICE_GROUP_ID}`,
      client: `${resource}.unassignFromDeviceGroup`,
      shows: 'removes the group from the counts',
      run: async (world) => {
        const { api } = world;
        await api[resource].assignToDeviceGroup(profileId, 41);
        expect(await api[resource].unassignFromDeviceGroup(profileId, 41)).toBe(204);
        expect((await counts(world))?.group_count).toBe(0);
      },
      refuses: [
        {
          when: 'the profile does not exist',
          status: 404,
          run: ({ api }) => api[resource].unassignFromDeviceGroup(nowhere, 41),
        },
      ],
    },
    {
      call: `POST ${list}/{PROFILE_ID}/devices/{DEVICE_ID}`,
      client: `${resource}.assignToDevice`,
      shows: 'the device lists the profile; a second call changes nothing',
      run: async (world) => {
        const { api } = world;
        expect(await api[resource].assignToDevice(profileId, 56)).toBe(204);
        expect(await api[resource].assignToDevice(profileId, 56)).toBe(204);
        expect(await onDevice(world, 56)).toBe(true);
      },
      refuses: [
        {
          when: 'the device does not exist',
          status: 404,
          run: ({ api }) => api[resource].assignToDevice(profileId, nowhere),
        },
      ],
    },
    {
      call: `DELETE ${list}/{PROFILE_ID}/devices/{DEVICE_ID}`,
      client: `${resource}.unassignFromDevice`,
      shows: 'the device no longer lists the profile',
      run: async (world) => {
        const { api } = world;
        await api[resource].assignToDevice(profileId, 56);
        expect(await api[resource].unassignFromDevice(profileId, 56)).toBe(204);
        expect(await onDevice(world, 56)).toBe(false);
        expect(await api[resource].unassignFromDevice(profileId, 56)).toBe(204);
      },
      refuses: [
        {
          when: 'the device does not exist',
          status: 404,
          run: ({ api }) => api[resource].unassignFromDevice(profileId, nowhere),
        },
      ],
    },
  ];
}

export const customConfigurationProfiles: readonly CallTest[] = [
  {
    call: `GET ${own}`,
    client: 'customConfigurationProfiles.list',
    shows: 'all custom configuration profiles with their groups',
    run: async ({ api }) => {
      const profiles = await all(api.customConfigurationProfiles.list());
      expect(profiles.map(({ id }) => id)).toEqual([13, 293_814]);
      const found = await all(api.customConfigurationProfiles.list({ search: 'munki' }));
      expect(found.map(({ id }) => id)).toEqual([293_814]);
      expect(found[0]?.attributes.group_count).toBe(2);
      expect((await api.customConfigurationProfiles.listPage({ limit: 1 })).hasMore).toBe(true);
    },
  },
  {
    call: `POST ${own}`,
    client: 'customConfigurationProfiles.create',
    shows: 'uploads a profile; by default for users and without variables',
    run: async ({ api }) => {
      const made = await api.customConfigurationProfiles.create({
        name: 'Dock',
        mobileconfig: mobileconfig('one'),
      });
      expect(made.attributes).toMatchObject({ name: 'Dock', user_scope: true, attribute_support: false });
      const other = await api.customConfigurationProfiles.create({
        name: 'Mail',
        mobileconfig: mobileconfig('two'),
        userScope: false,
        attributeSupport: true,
        escapeAttributes: true,
        reinstallAfterOsUpdate: true,
      });
      expect(other.attributes).toMatchObject({
        user_scope: false,
        attribute_support: true,
        escape_attributes: true,
        reinstall_after_os_update: true,
      });
    },
    refuses: [
      {
        when: 'the file is not a profile',
        status: 422,
        run: ({ api }) =>
          api.customConfigurationProfiles.create({ name: 'x', mobileconfig: new File(['hello'], 'x.txt') }),
      },
      {
        when: 'the name is empty',
        status: 422,
        run: ({ api }) =>
          api.customConfigurationProfiles.create({ name: '', mobileconfig: mobileconfig('one') }),
      },
    ],
  },
  {
    call: `PATCH ${own}/{PROFILE_ID}`,
    client: 'customConfigurationProfiles.update',
    shows: 'changes only the given attributes, or the file',
    run: async ({ api }) => {
      await api.customConfigurationProfiles.update(13, { name: 'No AFP' });
      const changed = await api.customConfigurationProfiles.update(13, {
        mobileconfig: mobileconfig('three'),
        attributeSupport: true,
      });
      expect(changed.attributes).toMatchObject({ name: 'No AFP', attribute_support: true });
      expect(await (await api.customConfigurationProfiles.download(13)).text()).toContain('three');
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.customConfigurationProfiles.update(nowhere, { name: 'x' }),
      },
    ],
  },
  {
    call: `GET ${own}/{PROFILE_ID}/download`,
    client: 'customConfigurationProfiles.download',
    shows: 'the file, byte for byte',
    run: async ({ api }) => {
      const signed = Uint8Array.from({ length: 300 }, (_, index) => (index === 0 ? 0x30 : index % 256));
      const { id } = await api.customConfigurationProfiles.create({
        name: 'Signed',
        mobileconfig: new File([signed], 'signed.mobileconfig'),
      });
      const file = await api.customConfigurationProfiles.download(id);
      expect(file.contentType).toBe('application/x-apple-aspen-config');
      expect(Buffer.from(await file.bytes())).toEqual(Buffer.from(signed));
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.customConfigurationProfiles.download(nowhere),
      },
    ],
  },
  {
    call: `DELETE ${own}/{PROFILE_ID}`,
    client: 'customConfigurationProfiles.delete',
    shows: 'deletes the profile, also from devices',
    run: async ({ api }) => {
      expect(await all(api.devices.listProfiles(121))).toHaveLength(1);
      expect(await api.customConfigurationProfiles.delete(13)).toBe(204);
      expect(await all(api.devices.listProfiles(121))).toEqual([]);
    },
    refuses: [
      {
        when: 'the profile is of another kind',
        status: 404,
        run: ({ api }) => api.customConfigurationProfiles.delete(15),
      },
    ],
  },
  ...assignments(own, 'customConfigurationProfiles', 13),
];

export const profiles: readonly CallTest[] = [
  {
    call: 'GET /profiles',
    client: 'profiles.list',
    shows: 'all profiles of every kind',
    run: async ({ api }) => {
      expect((await all(api.profiles.list())).map(({ type }) => type)).toContain('wifi');
      expect((await api.profiles.listPage({ limit: 2 }, { search: 'wi-fi' })).data).toMatchObject([
        { id: 15 },
      ]);
    },
  },
  {
    call: 'GET /profiles/{PROFILE_ID}',
    client: 'profiles.retrieve',
    shows: 'one profile',
    run: async ({ api }) => {
      expect((await api.profiles.retrieve(15)).attributes.name).toBe('Office Wi-Fi');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.profiles.retrieve(nowhere) }],
  },
  ...assignments('/profiles', 'profiles', 15),
];
