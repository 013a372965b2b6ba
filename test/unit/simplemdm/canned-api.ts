import { beforeWrite } from '../../../src/simplemdm/call-log.js';
import { createAccount } from '../../../src/simplemdm/account.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { createCustomAttributes } from '../../../src/simplemdm/custom-attributes.js';
import { createDepServers } from '../../../src/simplemdm/dep-servers.js';
import { createDeviceGroups } from '../../../src/simplemdm/device-groups.js';
import { createDevices } from '../../../src/simplemdm/devices.js';
import { createDirectory } from '../../../src/simplemdm/directory.js';
import type { Directory } from '../../../src/simplemdm/directory.js';
import { createEnrollments } from '../../../src/simplemdm/enrollments.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Transport } from '../../../src/simplemdm/http.js';
import { createLogs } from '../../../src/simplemdm/logs.js';
import { createScriptJobs } from '../../../src/simplemdm/script-jobs.js';
import { createScripts } from '../../../src/simplemdm/scripts.js';

/** Bodies, or statuses that are errors, by path. */
export type Answers = Readonly<Record<string, unknown>>;

/** The API of an account over a transport that answers from a table, with no network; other paths answer 500. */
export function simpleMdm(answers: Answers): { api: SimpleMdm; directory: Directory; requests: string[] } {
  const requests: string[] = [];
  const transport: Transport = async ({ method, route, params = {} }) => {
    if (method !== 'GET') await beforeWrite();
    const path = route.replace(/\{(\w+)\}/g, (_placeholder, name: string) => String(params[name]));
    requests.push(method === 'GET' ? path : `${method} ${path}`);
    const answer = Object.hasOwn(answers, path) ? answers[path] : 500;
    if (typeof answer !== 'number') {
      return { account: 'default', path, status: 200, body: answer };
    }
    throw new SimpleMdmError({
      kind: 'answer',
      account: 'default',
      method,
      path,
      status: answer,
      mayHaveTakenEffect: false,
    });
  };
  const api: SimpleMdm = {
    account: createAccount(transport),
    customAttributes: createCustomAttributes(transport),
    depServers: createDepServers(transport),
    devices: createDevices(transport),
    deviceGroups: createDeviceGroups(transport),
    enrollments: createEnrollments(transport),
    logs: createLogs(transport),
    scripts: createScripts(transport),
    scriptJobs: createScriptJobs(transport),
  };
  return { api, directory: createDirectory(api), requests };
}
