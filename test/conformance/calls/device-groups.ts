import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;

export const deviceGroups: readonly CallTest[] = [
  {
    call: 'GET /device_groups',
    client: 'deviceGroups.list',
    shows: 'all groups',
    run: async ({ api }) => {
      expect((await all(api.deviceGroups.list())).map(({ id }) => id)).toEqual([1, 37, 38, 41]);
      expect((await api.deviceGroups.listPage({ startingAfter: 38 })).data.map(({ id }) => id)).toEqual([41]);
    },
  },
  {
    call: 'GET /device_groups/{DEVICE_GROUP_ID}',
    client: 'deviceGroups.retrieve',
    shows: 'one group with its devices',
    run: async ({ api }) => {
      expect((await api.deviceGroups.retrieve(37)).attributes.name).toBe('Remote Employees');
      const { relationships } = await api.deviceGroups.retrieve(41);
      expect(relationships?.devices?.data).toEqual([{ type: 'device', id: 54 }]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.deviceGroups.retrieve(nowhere) },
    ],
  },
  {
    call: 'POST /device_groups/{DEVICE_GROUP_ID}/devices/{DEVICE_ID}',
    client: 'deviceGroups.assignDevice',
    shows: 'moves the device to the group and sends one webhook; asynchronous',
    run: async ({ api, later, simulator }) => {
      const groupOf = async (id: number) =>
        (await api.devices.retrieve(id)).relationships?.device_group?.data?.id;
      expect(await api.deviceGroups.assignDevice(37, 121)).toBe(202);
      expect(await groupOf(121)).toBe(1);
      later();
      expect(await groupOf(121)).toBe(37);
      expect(await api.deviceGroups.assignDevice(37, 121)).toBe(202);
      later();
      expect(simulator.webhookDeliveries().map(({ type }) => type)).toEqual(['device.changed_group']);
    },
    refuses: [
      {
        when: 'the group does not exist',
        status: 404,
        run: ({ api }) => api.deviceGroups.assignDevice(nowhere, 121),
      },
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.deviceGroups.assignDevice(37, nowhere),
      },
    ],
  },
  {
    call: 'POST /device_groups/{DEVICE_GROUP_ID}/clone',
    client: 'deviceGroups.clone',
    shows: 'creates a copy with the profiles and values and without devices',
    run: async ({ api }) => {
      await api.customAttributes.setValueForGroup(37, 'department', 'Field');
      const copy = await api.deviceGroups.clone(37);
      expect(copy.attributes.name).toBe('Remote Employees (1)');
      expect(copy.relationships?.devices?.data).toEqual([]);
      const values = await api.customAttributes.getValuesForGroup(copy.id);
      expect(values.find(({ id }) => id === 'department')?.attributes.value).toBe('Field');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.deviceGroups.clone(nowhere) }],
  },
];
