import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;

/** Attributes that only newer examples of the reference have. */
const SINCE_2015 = [
  'enrollment_channels',
  'processor_architecture',
  'ethernet_macs',
  'is_dep_enrollment',
  'is_user_approved_enrollment',
  'filevault_enabled',
  'filevault_recovery_key',
  'firmware_password_enabled',
  'recovery_lock_password_enabled',
  'remote_desktop_enabled',
  'firmware_password',
  'recovery_lock_password',
  'firewall',
  'system_integrity_protection_enabled',
  'os_update',
];
const attribute = (name: string): string => `.data.attributes.${name}`;

export const devices: readonly CallTest[] = [
  {
    call: 'GET /devices',
    client: 'devices.list',
    shows: 'all enrolled devices; devices that await enrollment on request; search',
    run: async ({ api }) => {
      const ids = (await all(api.devices.list())).map(({ id }) => id);
      expect(ids).toEqual([54, 56, 98, 117, 121]);
      const waitingToo = await all(api.devices.list({ includeAwaitingEnrollment: true }));
      expect(waitingToo.map(({ id }) => id)).toEqual([11, ...ids]);
      for (const search of [
        'mike',
        '4A08359C',
        'dnfje9dng5mg',
        '35 445506',
        'f0:db:e2:df:e9:2f',
        '+15555555555',
      ]) {
        expect((await all(api.devices.list({ search }))).map(({ id }) => id)).toEqual([121]);
      }
      const down = await api.devices.listPage({ limit: 2, direction: 'desc' });
      expect(down.data.map(({ id }) => id)).toEqual([121, 117]);
      expect((await api.devices.listPage({ limit: 300 })).data).toHaveLength(ids.length);
    },
  },
  {
    call: 'GET /devices/{DEVICE_ID}',
    client: 'devices.retrieve',
    shows: 'one device; secret values on request',
    run: async ({ api }) => {
      expect((await api.devices.retrieve(121)).attributes.name).toBe("Mike's iPhone");
      const names = async (includeSecretCustomAttributes: boolean) =>
        (
          await api.devices.retrieve(54, { includeSecretCustomAttributes })
        ).relationships?.custom_attribute_values?.data?.map(({ id }) => id);
      expect(await names(false)).not.toContain('local_admin_password');
      expect(await names(true)).toContain('local_admin_password');
      const { attributes, relationships } = await api.devices.retrieve(54);
      expect(attributes).toMatchObject({ lost_mode_enabled: false, supplemental_os_version_extra: null });
      expect(relationships?.custom_attribute_values?.data).toContainEqual({
        type: 'custom_attribute_value',
        id: 'department',
        attributes: { secret: false, value: 'Engineering' },
      });
      expect(relationships?.groups?.data?.map(({ id }) => id)).toEqual([26, 38]);
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.devices.retrieve(nowhere) }],
  },
  {
    call: 'POST /devices',
    client: 'devices.create',
    shows: 'creates a device that awaits enrollment, in its groups',
    beyond: [...SINCE_2015, 'subscriber_mnc'].map(attribute),
    run: async ({ api }) => {
      const made = await api.devices.create({ name: "Sara's iPad", groupId: 41, staticGroupIds: [26] });
      expect(made.attributes).toMatchObject({
        status: 'awaiting enrollment',
        enrollment_url: expect.stringMatching(/^https:\/\/a\.simplemdm\.com\/e\/\?c=/),
      });
      expect(made.relationships?.device_group?.data?.id).toBe(41);
      expect(made.relationships?.groups?.data).toEqual([
        { type: 'assignment_group', id: 26, group_type: 'static' },
      ]);
      const group = await api.assignmentGroups.retrieve(26);
      expect(group.relationships?.devices?.data?.map(({ id }) => id)).toContain(made.id);
      const enrollment = (await all(api.enrollments.list())).find(
        ({ relationships }) => relationships?.device?.data?.id === made.id,
      );
      expect(enrollment?.attributes.url).toBe(made.attributes.enrollment_url);
    },
    refuses: [
      { when: 'the name is empty', status: 422, run: ({ api }) => api.devices.create({ name: '' }) },
      {
        when: 'the group does not exist',
        status: 404,
        run: ({ api }) => api.devices.create({ name: 'x', groupId: nowhere }),
      },
    ],
  },
  {
    call: 'PATCH /devices/{DEVICE_ID}',
    client: 'devices.update',
    // The example is from 2015; all others have only simmnc.
    lacks: ['.data.attributes.simmcc'],
    beyond: [...SINCE_2015, 'unique_identifier'].map(attribute),
    shows: 'changes the name in SimpleMDM immediately, the name on the device asynchronously',
    run: async ({ api, later }) => {
      await api.devices.update(121, { name: "Ashley's iPad" });
      await api.devices.update(121, { deviceName: 'ashley' });
      expect((await api.devices.retrieve(121)).attributes).toMatchObject({
        name: "Ashley's iPad",
        device_name: "Mike's iPhone",
      });
      later();
      expect((await api.devices.retrieve(121)).attributes.device_name).toBe('ashley');
      // A device that awaits its enrollment takes the name, and shows none.
      expect((await api.devices.update(11, { deviceName: 'x' })).attributes.device_name).toBeNull();
    },
    refuses: [
      {
        when: 'the device is not supervised and device_name is given',
        status: 422,
        run: ({ api }) => api.devices.update(117, { deviceName: 'x' }),
      },
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.devices.update(nowhere, { name: 'x' }),
      },
    ],
  },
  {
    call: 'DELETE /devices/{DEVICE_ID}',
    client: 'devices.delete',
    shows: 'deletes the device and sends a webhook',
    run: async ({ api, simulator }) => {
      expect(await api.devices.delete(121)).toBe(204);
      expect(simulator.device(121)).toBeUndefined();
      expect(simulator.webhookDeliveries().map(({ type }) => type)).toEqual(['device.unenrolled']);
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.devices.delete(nowhere) }],
  },
  {
    call: 'GET /devices/{DEVICE_ID}/profiles',
    client: 'devices.listProfiles',
    shows: 'the profiles with a direct assignment to the device',
    run: async ({ api }) => {
      expect((await all(api.devices.listProfiles(121))).map(({ id }) => id)).toEqual([13]);
      expect((await api.devices.listProfilesPage(54)).data).toEqual([]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => all(api.devices.listProfiles(nowhere)) },
    ],
  },
  {
    call: 'GET /devices/{DEVICE_ID}/installed_apps',
    client: 'devices.listInstalledApps',
    shows: 'all apps, over several pages',
    run: async ({ api }) => {
      const three = await all(api.devices.listInstalledApps(121));
      expect(three.map(({ id }) => id)).toEqual([578, 587, 618]);
      expect(await all(api.devices.listInstalledApps(54))).toHaveLength(134);
      expect((await api.devices.listInstalledAppsPage(54)).hasMore).toBe(true);
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => all(api.devices.listInstalledApps(nowhere)),
      },
    ],
  },
  {
    call: 'GET /devices/{DEVICE_ID}/users',
    client: 'devices.listUsers',
    shows: 'the users of a Mac; other devices have none',
    run: async ({ api }) => {
      expect((await all(api.devices.listUsers(54))).map(({ attributes }) => attributes.username)).toEqual([
        'userone',
        'usertwo',
      ]);
      expect((await api.devices.listUsersPage(121)).data).toEqual([]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => all(api.devices.listUsers(nowhere)) },
    ],
  },
  {
    call: 'DELETE /devices/{DEVICE_ID}/users/{USER_ID}',
    client: 'devices.deleteUser',
    shows: 'deletes the user; asynchronous',
    run: async ({ api, later }) => {
      expect(await api.devices.deleteUser(54, 5)).toBe(202);
      later();
      expect((await all(api.devices.listUsers(54))).map(({ id }) => id)).toEqual([6]);
    },
    refuses: [
      { when: 'the device is not a Mac', status: 422, run: ({ api }) => api.devices.deleteUser(121, 5) },
      { when: 'the user does not exist', status: 404, run: ({ api }) => api.devices.deleteUser(54, nowhere) },
    ],
  },
];
