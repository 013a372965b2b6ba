import { createAccount } from './account.js';
import { createCustomAttributes } from './custom-attributes.js';
import { createDepServers } from './dep-servers.js';
import { createDeviceGroups } from './device-groups.js';
import { createDevices } from './devices.js';
import { createEnrollments } from './enrollments.js';
import { createTransport } from './http.js';
import type { TransportOptions } from './http.js';
import { createLogs } from './logs.js';
import { createScriptJobs } from './script-jobs.js';
import { createScripts } from './scripts.js';

/** The SimpleMDM API of one account, a member per resource in the words of the API reference. */
export type SimpleMdm = ReturnType<typeof createSimpleMdm>;

/** A client for one account. */
export function createSimpleMdm(options: TransportOptions) {
  const transport = createTransport(options);
  return {
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
}
