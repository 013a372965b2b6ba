import type { Fact } from './fact.js';

/** The account: name, and licenses if the plan limits them. */
export const account: Fact = {
  shape: {
    fields: {
      name: 'string',
      apple_store_country_code: 'string',
      licenses: { fields: { total: 'number', available: 'number' } },
    },
  },
  about:
    'the account: `account.name`. If the plan limits licenses, also `account.licenses.available` and `account.licenses.total`',
  cost: 1,
  fetch: async ({ api }) => {
    const { name, apple_store_country_code, subscription } = (await api.account.show()).attributes;
    const licenses = subscription?.licenses ?? null;
    return {
      name: name ?? null,
      apple_store_country_code: apple_store_country_code ?? null,
      licenses: licenses && { total: licenses.total ?? null, available: licenses.available ?? null },
    };
  },
};
