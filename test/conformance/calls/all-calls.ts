import { account } from './account.js';
import { apps } from './apps.js';
import { assignmentGroups } from './assignment-groups.js';
import type { CallTest } from './call-test.js';
import { customAttributes } from './custom-attributes.js';
import { customDeclarations } from './custom-declarations.js';
import { depServers } from './dep-servers.js';
import { deviceCommands } from './device-commands.js';
import { deviceGroups } from './device-groups.js';
import { devices } from './devices.js';
import { enrollments } from './enrollments.js';
import { installedApps } from './installed-apps.js';
import { logs } from './logs.js';
import { lostMode } from './lost-mode.js';
import { managedAppConfigs } from './managed-app-configs.js';
import { customConfigurationProfiles, profiles } from './profiles.js';
import { pushCertificate } from './push-certificate.js';
import { scriptJobs } from './script-jobs.js';
import { scripts } from './scripts.js';

/** The tests of all calls, in the order of the reference. */
export const CALL_TESTS: readonly CallTest[] = [
  ...account,
  ...apps,
  ...assignmentGroups,
  ...customAttributes,
  ...customConfigurationProfiles,
  ...customDeclarations,
  ...depServers,
  ...devices,
  ...deviceCommands,
  ...deviceGroups,
  ...enrollments,
  ...installedApps,
  ...logs,
  ...lostMode,
  ...managedAppConfigs,
  ...pushCertificate,
  ...scripts,
  ...scriptJobs,
  ...profiles,
];
