import { createAccount } from './account.js';
import { createApps } from './apps.js';
import { createAssignmentGroups } from './assignment-groups.js';
import { createCustomAttributes } from './custom-attributes.js';
import { createCustomConfigurationProfiles } from './custom-configuration-profiles.js';
import { createCustomDeclarations } from './custom-declarations.js';
import { createDepServers } from './dep-servers.js';
import { createDeviceGroups } from './device-groups.js';
import { createDevices } from './devices.js';
import { createEnrollments } from './enrollments.js';
import { createInstalledApps } from './installed-apps.js';
import { createLogs } from './logs.js';
import { createLostMode } from './lost-mode.js';
import { createManagedAppConfigs } from './managed-app-configs.js';
import { withDefaults } from './options.js';
import type { SimpleMdmOptions } from './options.js';
import { createProfiles } from './profiles.js';
import { createPushCertificate } from './push-certificate.js';
import { createScriptJobs } from './script-jobs.js';
import { createScripts } from './scripts.js';
import { createTransport } from './transport.js';
import type { Transport } from './transport.js';

/** The SimpleMDM API of one account: one member per resource, in the order and words of the API reference. */
export type SimpleMdm = ReturnType<typeof createResources>;

/** Creates a client for one account. Every method rejects with `SimpleMdmError`. */
export function createSimpleMdm(options: SimpleMdmOptions): SimpleMdm {
  return createResources(createTransport(withDefaults(options)));
}

/** The resources over a given transport. */
export function createResources(transport: Transport) {
  return {
    account: createAccount(transport),
    apps: createApps(transport),
    assignmentGroups: createAssignmentGroups(transport),
    customAttributes: createCustomAttributes(transport),
    customConfigurationProfiles: createCustomConfigurationProfiles(transport),
    customDeclarations: createCustomDeclarations(transport),
    depServers: createDepServers(transport),
    devices: createDevices(transport),
    deviceGroups: createDeviceGroups(transport),
    enrollments: createEnrollments(transport),
    installedApps: createInstalledApps(transport),
    logs: createLogs(transport),
    lostMode: createLostMode(transport),
    managedAppConfigs: createManagedAppConfigs(transport),
    pushCertificate: createPushCertificate(transport),
    scripts: createScripts(transport),
    scriptJobs: createScriptJobs(transport),
    profiles: createProfiles(transport),
  };
}
