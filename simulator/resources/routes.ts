import type { Route } from '../api/route.js';
import type { Fleet } from '../fleet/fleet.js';
import { accountRoutes } from './account.js';
import { appRoutes } from './apps.js';
import { assignmentGroupRoutes } from './assignment-groups.js';
import { customAttributeValueRoutes } from './custom-attribute-values.js';
import { customAttributeRoutes } from './custom-attributes.js';
import { customConfigurationProfileRoutes } from './custom-configuration-profiles.js';
import { customDeclarationRoutes } from './custom-declarations.js';
import { depServerRoutes } from './dep-servers.js';
import { deviceCommandRoutes } from './device-commands.js';
import { deviceGroupRoutes } from './device-groups.js';
import { deviceInventoryRoutes } from './device-inventory.js';
import { deviceRoutes } from './devices.js';
import { enrollmentRoutes } from './enrollments.js';
import { installedAppRoutes } from './installed-apps.js';
import { logRoutes } from './logs.js';
import { lostModeRoutes } from './lost-mode.js';
import { managedAppConfigRoutes } from './managed-app-configs.js';
import { profileRoutes } from './profiles.js';
import { pushCertificateRoutes } from './push-certificate.js';
import { scriptJobRoutes } from './script-jobs.js';
import { scriptRoutes } from './scripts.js';

const resources: readonly ((fleet: Fleet) => Route[])[] = [
  accountRoutes,
  appRoutes,
  assignmentGroupRoutes,
  customAttributeRoutes,
  customAttributeValueRoutes,
  customConfigurationProfileRoutes,
  customDeclarationRoutes,
  depServerRoutes,
  deviceCommandRoutes,
  deviceGroupRoutes,
  deviceInventoryRoutes,
  deviceRoutes,
  enrollmentRoutes,
  installedAppRoutes,
  logRoutes,
  lostModeRoutes,
  managedAppConfigRoutes,
  profileRoutes,
  pushCertificateRoutes,
  scriptJobRoutes,
  scriptRoutes,
];

/** Every API call of the simulator: one file per resource. */
export function apiRoutes(fleet: Fleet): Route[] {
  return resources.flatMap((routesOf) => routesOf(fleet));
}
