import { z } from 'zod';
import { defineAction } from './action.js';
import { reference, resolveReference } from './reference.js';

/** Lets SimpleMDM ask Apple for new hardware now (API reference, DEP Servers, Sync with Apple). */
export const syncDepServer = defineAction({
  about: 'Lets SimpleMDM ask Apple Business Manager for new hardware now.',
  example: 'sync_dep_server: { server: My DEP MDM Server }',
  args: z.strictObject({ server: reference }),
  refersTo: { server: 'DEP server' },
  outputs: { server_id: 'number', server_name: 'string' },
  facts: [],
  perform: async ({ server }, { api, directory }) => {
    const { id, attributes } = await resolveReference(
      'DEP server',
      server,
      directory.depServers,
      (item) => item.attributes.server_name ?? undefined,
    );
    await api.depServers.sync(id);
    return { status: 'completed', output: { server_id: id, server_name: attributes.server_name ?? null } };
  },
});
