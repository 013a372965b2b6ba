import { account } from './account.js';
import { assignmentGroups } from './assignment-groups.js';
import { apps } from './apps.js';
import { attributes } from './attributes.js';
import { depDevice } from './dep-device.js';
import { depServers } from './dep-servers.js';
import { device } from './device.js';
import type { Fact } from './fact.js';
import { group } from './group.js';
import { logs } from './logs.js';
import { profiles } from './profiles.js';
import { pushCertificate } from './push-certificate.js';
import { users } from './users.js';

/** Every fact by its name in rules. */
export const FACTS: Readonly<Record<string, Fact>> = {
  device,
  apps,
  logs,
  attributes,
  group,
  assignment_groups: assignmentGroups,
  profiles,
  users,
  dep_device: depDevice,
  account,
  push_certificate: pushCertificate,
  dep_servers: depServers,
};

/** The facts that exist only for an event about a device. */
export const DEVICE_FACTS: readonly string[] = [
  'device',
  'apps',
  'logs',
  'attributes',
  'group',
  'assignment_groups',
  'profiles',
  'users',
  'dep_device',
];
