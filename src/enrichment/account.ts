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
    'the account: `account.name`, and `account.licenses.available` of `account.licenses.total` if the plan limits licenses',
  cost: 1,
  fetch: async ({ api }) => {
    const { name, apple_store_country_code, subscription } = (await api.account.show()).attributes;
    const licenses = subscription?.licenses ?? null;
    return {
      name,
      apple_store_country_code: apple_store_country_code ?? null,
      licenses: licenses && { total: licenses.total ?? null, available: licenses.available ?? null },
    };
  },
};

/** The Apple push certificate of the account. Without a valid certificate no device is reachable. */
export const pushCertificate: Fact = {
  shape: { fields: { apple_id: 'string', expires_at: 'time' } },
  about: 'the Apple push certificate: `until(push_certificate.expires_at) < duration("720h")`',
  cost: 1,
  fetch: async ({ api }) => {
    const { apple_id, expires_at } = (await api.pushCertificate.show()).attributes;
    return { apple_id: apple_id ?? null, expires_at: expires_at ?? null };
  },
};

/** The server tokens of Apple Business Manager. */
export const depServers: Fact = {
  shape: {
    list: {
      fields: {
        id: 'number',
        server_name: 'string',
        organization_name: 'string',
        token_expires_at: 'time',
        last_synced_at: 'time',
      },
    },
  },
  about:
    'the tokens of Apple Business Manager: `dep_servers.exists(s, until(s.token_expires_at) < duration("720h"))`',
  cost: 1,
  fetch: async ({ api }) => {
    const servers: Record<string, unknown>[] = [];
    for await (const { id, attributes } of api.depServers.list()) {
      const { server_name, organization_name, token_expires_at, last_synced_at } = attributes;
      servers.push({ id, server_name, organization_name, token_expires_at, last_synced_at });
    }
    return servers;
  },
};
