import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

export const logs: readonly CallTest[] = [
  {
    call: 'GET /logs',
    client: 'logs.list',
    shows: 'all entries, or those of one serial number; ids and cursors are text',
    run: async ({ api, simulator }) => {
      const { serialNumber } = simulator.enroll({ kind: 'ipad' });
      const everything = await all(api.logs.list());
      const own = await all(api.logs.list({ serialNumber }));
      expect(own.map(({ attributes }) => attributes.event_type)).toEqual(['device.enrolled']);
      expect(everything.length).toBeGreaterThan(own.length);
      const start = everything[0]?.id ?? '';
      const page = await api.logs.listPage({ limit: 1, startingAfter: start });
      expect(page.data[0]?.id).toBe(everything[1]?.id);
    },
  },
  {
    call: 'GET /logs/{LOG_ID}',
    client: 'logs.retrieve',
    shows: 'one entry, with its time in ISO 8601',
    run: async ({ api }) => {
      const entry = await api.logs.retrieve('964595dfd5be464a82cbb9019f55d82b');
      expect(entry.attributes).toMatchObject({ event_type: 'script.ran', at: '2022-06-01T11:26:19.000Z' });
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.logs.retrieve('abc') }],
  },
];
