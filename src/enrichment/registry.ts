import { account } from './account.js';
import { apps } from './apps.js';
import { attributes } from './attributes.js';
import { depDevice } from './dep-device.js';
import { depServers } from './dep-servers.js';
import { device } from './device.js';
import type { Fact } from './fact.js';
import { group } from './group.js';
import { logs } from './logs.js';
import { pushCertificate } from './push-certificate.js';

/** Every fact by its name in rules. */
export const FACTS: Readonly<Record<string, Fact>> = {
  device,
  apps,
  logs,
  attributes,
  group,
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
  'dep_device',
];
