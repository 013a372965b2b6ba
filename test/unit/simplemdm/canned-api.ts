import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import type { CachedLists } from '../../../src/simplemdm/cached-lists.js';
import { beforeWrite } from '../../../src/simplemdm/call-recorder.js';
import { createResources } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Transport } from '../../../src/simplemdm/transport.js';

/** By path: the body of a 200 response, or an error status. */
export type CannedResponses = Readonly<Record<string, unknown>>;

/** The API of an account with canned responses and without a network. Other paths return 500. */
export function cannedApi(responses: CannedResponses): {
  api: SimpleMdm;
  lists: CachedLists;
  requests: string[];
} {
  const requests: string[] = [];
  const call: Transport['call'] = async ({ method, route, params = {} }) => {
    const path = route.replace(/\{(\w+)\}/g, (_placeholder, name: string) => String(params[name]));
    if (method !== 'GET') await beforeWrite({ account: 'default', method, path });
    requests.push(method === 'GET' ? path : `${method} ${path}`);
    const response = Object.hasOwn(responses, path) ? responses[path] : 500;
    if (typeof response !== 'number') {
      return { account: 'default', path, status: 200, body: response };
    }
    throw new SimpleMdmError({
      kind: 'response',
      account: 'default',
      method,
      path,
      status: response,
      mayHaveTakenEffect: false,
    });
  };
  const download: Transport['download'] = () => Promise.reject(new Error('no canned downloads'));
  const api = createResources({ call, download });
  return { api, lists: createCachedLists(api), requests };
}
