import { listWithGaps } from './event-device.js';
import type { Fact } from './fact.js';

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
  fetch: ({ api }) =>
    listWithGaps(async () => {
      const servers: Record<string, unknown>[] = [];
      for await (const { id, attributes } of api.depServers.list()) {
        const { server_name, organization_name, token_expires_at, last_synced_at } = attributes;
        servers.push({ id, server_name, organization_name, token_expires_at, last_synced_at });
      }
      return servers;
    }),
};
