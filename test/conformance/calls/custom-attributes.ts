import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
const newer = ['.data[].attributes.secret', '.data[].attributes.source'];
const newerOne = ['.data.attributes.secret', '.data.attributes.source'];

async function valueOn({ api }: World, deviceId: number, name: string) {
  const values = await api.customAttributes.getValuesForDevice(deviceId);
  return values.find(({ id }) => id === name)?.attributes;
}

export const customAttributes: readonly CallTest[] = [
  {
    call: 'GET /custom_attributes',
    client: 'customAttributes.list',
    shows: 'all attributes; ids and cursors are text',
    run: async ({ api }) => {
      const ids = (await all(api.customAttributes.list())).map(({ id }) => id);
      expect(ids).toContain('email_address');
      const page = await api.customAttributes.listPage({ limit: 1, startingAfter: 'department' });
      expect(page.data.map(({ id }) => id)).toEqual(['email_address']);
    },
  },
  {
    call: 'GET /custom_attributes/{CUSTOM_ATTRIBUTE_ID}',
    client: 'customAttributes.retrieve',
    shows: 'one attribute by its name',
    run: async ({ api }) => {
      expect((await api.customAttributes.retrieve('email_address')).attributes.default_value).toBe(
        'user@example.org',
      );
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.customAttributes.retrieve('nothing') },
    ],
  },
  {
    call: 'POST /custom_attributes',
    client: 'customAttributes.create',
    shows: 'creates an attribute; its default applies to every device',
    run: async (world) => {
      await world.api.customAttributes.create({ name: 'floor', defaultValue: '3' });
      expect(await valueOn(world, 54, 'floor')).toMatchObject({ value: '3', source: 'account' });
    },
    refuses: [
      {
        when: 'the name has an invalid character',
        status: 422,
        run: ({ api }) => api.customAttributes.create({ name: 'floor number' }),
      },
      {
        when: 'the name exists, compared without case',
        status: 422,
        run: ({ api }) => api.customAttributes.create({ name: 'Email_Address' }),
      },
    ],
  },
  {
    call: 'PATCH /custom_attributes/{CUSTOM_ATTRIBUTE_ID}',
    client: 'customAttributes.update',
    shows: 'changes the default',
    run: async (world) => {
      expect(await world.api.customAttributes.update('full_name', { defaultValue: 'nobody' })).toBe(204);
      expect(await world.api.customAttributes.update('full_name', {})).toBe(204);
      expect(await valueOn(world, 54, 'full_name')).toMatchObject({ value: 'nobody' });
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.customAttributes.update('nothing', { defaultValue: 'x' }),
      },
    ],
  },
  {
    call: 'DELETE /custom_attributes/{CUSTOM_ATTRIBUTE_ID}',
    client: 'customAttributes.delete',
    shows: 'deletes the attribute and its values; asynchronous',
    run: async (world) => {
      const { api, later } = world;
      expect(await api.customAttributes.delete('department')).toBe(204);
      expect((await api.customAttributes.retrieve('department')).id).toBe('department');
      later();
      expect(await valueOn(world, 54, 'department')).toBeUndefined();
      await api.customAttributes.create({ name: 'department' });
      expect(await valueOn(world, 54, 'department')).toMatchObject({ value: '' });
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.customAttributes.delete('nothing') },
    ],
  },
  {
    call: 'GET /devices/{DEVICE_ID}/custom_attribute_values',
    client: 'customAttributes.getValuesForDevice',
    shows: 'the effective values of a device and their sources',
    beyond: newer,
    run: async (world) => {
      expect(await valueOn(world, 54, 'department')).toMatchObject({
        value: 'Engineering',
        source: 'device',
      });
      expect(await valueOn(world, 56, 'department')).toMatchObject({
        value: 'unassigned',
        source: 'account',
      });
    },
    refuses: [
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.customAttributes.getValuesForDevice(nowhere),
      },
    ],
  },
  {
    call: 'PUT /devices/{DEVICE_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
    client: 'customAttributes.setValueForDevice',
    shows: 'sets a value of the device, also an empty one',
    beyond: newerOne,
    run: async (world) => {
      await world.api.customAttributes.setValueForDevice(56, 'department', 'Sales & Co');
      expect(await valueOn(world, 56, 'department')).toMatchObject({ value: 'Sales & Co', source: 'device' });
      await world.api.customAttributes.setValueForDevice(56, 'department', '');
      expect(await valueOn(world, 56, 'department')).toMatchObject({ value: '' });
    },
    refuses: [
      {
        when: 'the attribute does not exist',
        status: 422,
        run: ({ api }) => api.customAttributes.setValueForDevice(54, 'nothing', 'x'),
      },
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.customAttributes.setValueForDevice(nowhere, 'department', 'x'),
      },
    ],
  },
  {
    call: 'GET /device_groups/{DEVICE_GROUP_ID}/custom_attribute_values',
    client: 'customAttributes.getValuesForGroup',
    shows: 'the values of a group',
    beyond: newer,
    run: async ({ api }) => {
      const values = await api.customAttributes.getValuesForGroup(1);
      expect(values.find(({ id }) => id === 'department')?.attributes.source).toBe('account');
    },
    refuses: [
      {
        when: 'the group does not exist',
        status: 404,
        run: ({ api }) => api.customAttributes.getValuesForGroup(nowhere),
      },
    ],
  },
  {
    call: 'PUT /device_groups/{DEVICE_GROUP_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
    client: 'customAttributes.setValueForGroup',
    shows: 'sets a value for the devices of the group; values of a device override it',
    beyond: newerOne,
    run: async (world) => {
      await world.api.customAttributes.setValueForGroup(1, 'department', 'Build');
      expect(await valueOn(world, 56, 'department')).toMatchObject({ value: 'Build', source: 'group' });
      expect(await valueOn(world, 54, 'department')).toMatchObject({ value: 'Engineering' });
    },
    refuses: [
      {
        when: 'the attribute does not exist',
        status: 422,
        run: ({ api }) => api.customAttributes.setValueForGroup(1, 'nothing', 'x'),
      },
    ],
  },
  {
    call: 'PUT /devices/{DEVICE_ID}/custom_attribute_values',
    client: 'customAttributes.setValuesForDevice',
    shows: 'sets several values of a device',
    run: async (world) => {
      await world.api.customAttributes.setValuesForDevice(56, { department: 'Sales', full_name: 'Sam' });
      expect(await valueOn(world, 56, 'department')).toMatchObject({ value: 'Sales' });
      expect(await valueOn(world, 56, 'full_name')).toMatchObject({ value: 'Sam' });
    },
    refuses: [
      {
        when: 'one of the attributes does not exist: sets none',
        status: 422,
        run: ({ api }) => api.customAttributes.setValuesForDevice(56, { department: 'x', nothing: 'y' }),
      },
    ],
  },
  {
    call: 'PUT /custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
    client: 'customAttributes.setValueForDevices',
    shows: 'sets one attribute of several devices',
    run: async (world) => {
      await world.api.customAttributes.setValueForDevices('department', [
        { deviceId: 56, value: 'Build' },
        { deviceId: 121, value: 'Field' },
      ]);
      expect(await valueOn(world, 56, 'department')).toMatchObject({ value: 'Build' });
      expect(await valueOn(world, 121, 'department')).toMatchObject({ value: 'Field' });
    },
    refuses: [
      {
        when: 'one of the devices does not exist',
        status: 404,
        run: ({ api }) =>
          api.customAttributes.setValueForDevices('department', [{ deviceId: nowhere, value: 'x' }]),
      },
    ],
  },
  {
    call: 'GET /assignment_groups/{ASSIGNMENT_GROUP_ID}/custom_attribute_values',
    client: 'customAttributes.getValuesForAssignmentGroup',
    shows: 'the values of an assignment group',
    run: async ({ api }) => {
      expect(await api.customAttributes.getValuesForAssignmentGroup(26)).not.toEqual([]);
    },
    refuses: [
      {
        when: 'the group does not exist',
        status: 404,
        run: ({ api }) => api.customAttributes.getValuesForAssignmentGroup(nowhere),
      },
    ],
  },
  {
    call: 'PUT /assignment_groups/{ASSIGNMENT_GROUP_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
    client: 'customAttributes.setValueForAssignmentGroup',
    shows: 'sets a value for the devices of the group',
    run: async (world) => {
      await world.api.customAttributes.setValueForAssignmentGroup(26, 'full_name', 'Team');
      expect(await valueOn(world, 54, 'full_name')).toMatchObject({ value: 'Team', source: 'group' });
    },
    refuses: [
      {
        when: 'the attribute does not exist',
        status: 422,
        run: ({ api }) => api.customAttributes.setValueForAssignmentGroup(26, 'nothing', 'x'),
      },
    ],
  },
];
