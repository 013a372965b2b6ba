import { beforeWrite } from '../../../src/simplemdm/call-recorder.js';
import { resourcesOver } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { createDirectory } from '../../../src/simplemdm/directory.js';
import type { Directory } from '../../../src/simplemdm/directory.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Transport } from '../../../src/simplemdm/transport.js';

/** Bodies, or statuses that are errors, by path. */
export type Answers = Readonly<Record<string, unknown>>;

/** The API of an account over a transport that answers from a table, with no network; other paths answer 500. */
export function simpleMdm(answers: Answers): { api: SimpleMdm; directory: Directory; requests: string[] } {
  const requests: string[] = [];
  const call: Transport['call'] = async ({ method, route, params = {} }) => {
    const path = route.replace(/\{(\w+)\}/g, (_placeholder, name: string) => String(params[name]));
    if (method !== 'GET') await beforeWrite({ account: 'default', method, path });
    requests.push(method === 'GET' ? path : `${method} ${path}`);
    const answer = Object.hasOwn(answers, path) ? answers[path] : 500;
    if (typeof answer !== 'number') {
      return { account: 'default', path, status: 200, body: answer };
    }
    throw new SimpleMdmError({
      kind: 'response',
      account: 'default',
      method,
      path,
      status: answer,
      mayHaveTakenEffect: false,
    });
  };
  const download: Transport['download'] = () => Promise.reject(new Error('nothing is downloaded here'));
  const api = resourcesOver({ call, download });
  return { api, directory: createDirectory(api), requests };
}
