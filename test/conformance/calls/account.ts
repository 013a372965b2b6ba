import { expect } from '@jest/globals';
import type { CallTest } from './call-test.js';

export const account: readonly CallTest[] = [
  {
    call: 'GET /account',
    client: 'account.show',
    shows: 'the number of free licenses follows the devices',
    run: async ({ api, simulator }) => {
      const before = (await api.account.show()).attributes.subscription?.licenses;
      expect(before?.total).toBe(500);
      simulator.enroll({ kind: 'ipad', webhook: false });
      const after = (await api.account.show()).attributes.subscription?.licenses;
      expect(after?.available).toBe((before?.available ?? 0) - 1);
    },
  },
  {
    call: 'PATCH /account',
    client: 'account.update',
    shows: 'changes name and country, each alone',
    run: async ({ api }) => {
      await api.account.update({ appleStoreCountryCode: 'AU' });
      await api.account.update({ name: 'Acme' });
      expect((await api.account.show()).attributes).toMatchObject({
        name: 'Acme',
        apple_store_country_code: 'AU',
      });
    },
    refuses: [
      {
        when: 'the country does not exist',
        status: 422,
        run: ({ api }) => api.account.update({ appleStoreCountryCode: 'Austria' }),
      },
    ],
  },
];
