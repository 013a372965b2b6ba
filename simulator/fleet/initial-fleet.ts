import { createDeviceTable } from './device-table.js';
import { initialDevices } from './initial-devices.js';
import { initialLogs } from './initial-logs.js';
import { initialProfiles } from './initial-profiles.js';
import { initialScripts } from './initial-scripts.js';
import {
  byId,
  customAttributesOf,
  type AssignmentGroup,
  type DepDevice,
  type DeviceGroup,
  type Enrollment,
  type FleetRecords,
} from './fleet.js';
import { generatedDevices, type FleetSeed } from './generated-devices.js';

const processed = {
  installation_channels: ['standard'],
  platform_support: 'iOS',
  processing_status: 'processed',
} as const;

/**
 * The initial account: the examples of the reference and a few more devices.
 * Enrollment 3 refers to a deleted group, as in the reference.
 */
export function createInitialFleet(nextAppId: () => number, now: Date, seed?: FleetSeed): FleetRecords {
  const deviceGroups = byId([
    deviceGroup(1, 'Default'),
    deviceGroup(37, 'Remote Employees'),
    deviceGroup(38, 'Executives'),
    deviceGroup(41, 'Laptops'),
  ]);
  const generated = seed && generatedDevices(seed, now, [...deviceGroups.keys()]);
  return {
    account: {
      name: 'SimpleMDM',
      apple_store_country_code: 'US',
      licenses: 500 + (generated?.count ?? 0),
    },
    pushCertificate: { apple_id: 'devops@example.org', expires_at: '2017-09-21T15:28:34.000+00:00' },
    apps: byId([
      {
        id: 34,
        name: 'Afterlight',
        bundle_identifier: 'com.simonfilip.AfterGlow',
        app_type: 'app store',
        itunes_store_id: 573116090,
        ...processed,
      },
      {
        id: 63,
        name: 'Surf Report',
        bundle_identifier: 'com.portlandsurfclub.ent.surfreport2.2',
        app_type: 'enterprise',
        version: '2.2',
        ...processed,
      },
      { id: 67, name: 'Scanner Pro', app_type: 'custom b2b', itunes_store_id: 44827291, ...processed },
    ]),
    assignmentGroups: byId([
      assignmentGroup(26, 'SimpleMDM', 1, [34, 67], [37, 38]),
      assignmentGroup(38, 'Productivity Apps', 2, [63, 67], [37, 38]),
    ]),
    customAttributes: customAttributesOf([
      { id: 'department', default_value: 'unassigned', secret: false },
      { id: 'email_address', default_value: 'user@example.org', secret: false },
      { id: 'full_name', default_value: 'not provided', secret: false },
      { id: 'local_admin_password', default_value: null, secret: true },
    ]),
    depServers: byId([
      depServer(1, 'My DEP MDM Server', 'SimpleMDM'),
      depServer(2, 'Another MDM Server', 'Acme Corp'),
    ]),
    depDevices: byId([
      depDevice(21, 1, 'C02XK1ZMJGH5', 'MacBook Pro 14"'),
      depDevice(22, 1, 'DMPZK4A1MF3M', 'iPad'),
      depDevice(23, 2, 'F4KXQ7M2TNLP', 'MacBook Air 13"'),
    ]),
    deviceGroups,
    devices: createDeviceTable(initialDevices(nextAppId), generated),
    enrollments: byId([
      enrollment(3, '31970277', 3),
      enrollment(4, '30486333', 1),
      { ...enrollment(5, '86534893', 1), belongsTo: { type: 'device', id: 11 } },
      enrollment(6, '52910846', 41),
      { ...enrollment(7, '', 1), url: null, user_enrollment: true, authentication: true },
    ]),
    invitations: [],
    logs: byId(initialLogs),
    managedAppConfigs: byId([
      { id: 14, appId: 63, key: 'customer_name', value: 'ACME Inc.', value_type: 'string' },
      { id: 32, appId: 63, key: 'User IDs', value: '1,53,3', value_type: 'integer array' },
      { id: 13, appId: 63, key: 'Device values', value: '"$imei","$udid"', value_type: 'string array' },
    ]),
    munkiPkginfos: new Map(),
    profiles: byId(initialProfiles()),
    scriptJobs: new Map(),
    scripts: byId(initialScripts.map((script) => ({ ...script }))),
  };
}

function deviceGroup(id: number, name: string): DeviceGroup {
  return { id, name, customValues: new Map() };
}

function assignmentGroup(
  id: number,
  name: string,
  priority: number,
  appIds: readonly number[],
  deviceGroupIds: readonly number[],
): AssignmentGroup {
  return {
    id,
    name,
    auto_deploy: priority === 1,
    priority,
    type: 'standard',
    group_type: 'static',
    install_type: null,
    app_track_location: true,
    apps: new Map(appIds.map((appId) => [appId, { deployment_type: 'standard', install_type: null }])),
    deviceGroupIds: new Set(deviceGroupIds),
    deviceIds: new Set([54]),
    profileIds: new Set(),
    customValues: new Map(),
  };
}

function enrollment(id: number, code: string, groupId: number): Enrollment {
  return {
    id,
    url: `https://a.simplemdm.com/e/?c=${code}`,
    belongsTo: { type: 'device_group', id: groupId },
    user_enrollment: false,
    welcome_screen: true,
    authentication: false,
  };
}

function depServer(id: number, server_name: string, organization_name: string) {
  return {
    id,
    server_name,
    organization_name,
    token_expires_at: '2023-02-03T10:57:07.000-08:00',
    last_synced_at: '2022-02-05T06:00:05.000-08:00',
  };
}

function depDevice(id: number, depServerId: number, serial_number: string, model: string): DepDevice {
  return {
    id,
    depServerId,
    serial_number,
    model,
    color: 'SPACE GRAY',
    checked_in_at: '2024-02-28T10:00:00.000-08:00',
  };
}
