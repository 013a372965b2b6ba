import { defineReferenceAction } from './reference-action.js';
import { depServerKind } from './reference-kinds.js';

/** API reference, DEP Servers, Sync with Apple. */
export const syncDepServer = defineReferenceAction({
  about: 'Syncs SimpleMDM with Apple Business Manager now.',
  example: 'sync_dep_server: { server: My DEP MDM Server }',
  argument: 'server',
  kind: depServerKind,
  send: (api, serverId) => api.depServers.sync(serverId),
});
