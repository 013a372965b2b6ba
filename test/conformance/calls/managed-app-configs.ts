import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;
const app = 63;

export const managedAppConfigs: readonly CallTest[] = [
  {
    call: 'GET /apps/{APP_ID}/managed_configs',
    client: 'managedAppConfigs.list',
    shows: 'the configuration of an app',
    run: async ({ api }) => {
      const configs = await all(api.managedAppConfigs.list(app));
      expect(configs.map(({ attributes }) => attributes.key).sort()).toEqual([
        'Device values',
        'User IDs',
        'customer_name',
      ]);
      expect((await api.managedAppConfigs.listPage(34)).data).toEqual([]);
    },
    refuses: [
      {
        when: 'the app does not exist',
        status: 404,
        run: ({ api }) => all(api.managedAppConfigs.list(nowhere)),
      },
    ],
  },
  {
    call: 'POST /apps/{APP_ID}/managed_configs',
    client: 'managedAppConfigs.create',
    shows: 'creates values of every type',
    run: async ({ api }) => {
      for (const [valueType, value] of [
        ['boolean', '1'],
        ['date', '2017-01-01T12:31:15-07:00'],
        ['float', '0.123'],
        ['float array', '0.123,923.1,42'],
        ['integer', '32'],
        ['integer array', '1,452,-129'],
        ['string', 'This is a string'],
        ['string array', '"First string","Second string"'],
      ] as const) {
        const made = await api.managedAppConfigs.create(34, { key: valueType, value, valueType });
        expect(made.attributes).toMatchObject({ key: valueType, value, value_type: valueType });
      }
      expect(await all(api.managedAppConfigs.list(34))).toHaveLength(8);
    },
    refuses: [
      {
        when: 'the value does not match its type',
        status: 422,
        run: ({ api }) => api.managedAppConfigs.create(app, { key: 'x', value: 'ten', valueType: 'integer' }),
      },
      {
        when: 'the key is missing',
        status: 422,
        run: ({ api }) => api.managedAppConfigs.create(app, { key: '' }),
      },
      {
        when: 'the app does not exist',
        status: 404,
        run: ({ api }) => api.managedAppConfigs.create(nowhere, { key: 'x' }),
      },
    ],
  },
  {
    call: 'DELETE /apps/{APP_ID}/managed_configs/{MANAGED_CONFIG_ID}',
    client: 'managedAppConfigs.delete',
    shows: 'deletes the key',
    run: async ({ api }) => {
      expect(await api.managedAppConfigs.delete(app, 14)).toBe(204);
      expect((await all(api.managedAppConfigs.list(app))).map(({ id }) => id)).toEqual([13, 32]);
    },
    refuses: [
      {
        when: 'it belongs to another app',
        status: 404,
        run: ({ api }) => api.managedAppConfigs.delete(34, 14),
      },
    ],
  },
  {
    call: 'POST /apps/{APP_ID}/managed_configs/push',
    client: 'managedAppConfigs.pushUpdates',
    shows: 'sends the configuration to the devices',
    run: async ({ api }) => {
      expect(await api.managedAppConfigs.pushUpdates(app)).toBe(202);
      const types = (await all(api.logs.list())).map(({ attributes }) => attributes.event_type);
      expect(types).toContain('managed_config.pushed');
    },
    refuses: [
      {
        when: 'the app does not exist',
        status: 404,
        run: ({ api }) => api.managedAppConfigs.pushUpdates(nowhere),
      },
    ],
  },
];
