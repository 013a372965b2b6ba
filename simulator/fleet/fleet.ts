import type { SimulatorClock } from '../clock.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import type { DeviceAttributes } from './device-attributes.js';

export type Platform = 'macOS' | 'iOS' | 'iPadOS' | 'tvOS' | 'unknown';

export interface Device {
  id: number;
  platform: Platform;
  attributes: DeviceAttributes;
  groupId: number;
  apps: InstalledApp[];
  users: DeviceUser[];
  profiles: Profile[];
  /** Values set on this device itself; the group's and the account's stand behind them. */
  customValues: Map<string, string>;
  /** Newer records list their custom attribute values among the relationships, older ones do not. */
  listsCustomValues: boolean;
}

export interface InstalledApp {
  id: number;
  name: string;
  identifier: string;
  version: string;
  short_version: string;
  bundle_size: number;
  dynamic_size: number | null;
  managed: boolean;
  discovered_at: string;
  last_seen_at: string;
}

export interface DeviceUser {
  id: number;
  username: string;
  full_name: string;
  uid: number;
  user_guid: string;
  data_quota: number | null;
  data_used: number | null;
  data_to_sync: boolean;
  secure_token: boolean;
  logged_in: boolean;
  mobile_account: boolean;
}

export interface Profile {
  id: number;
  name: string;
  profile_identifier: string;
  user_scope: boolean;
  attribute_support: boolean;
}

export interface DeviceGroup {
  id: number;
  name: string;
  customValues: Map<string, string>;
}

export interface AssignmentGroup {
  id: number;
  name: string;
  auto_deploy: boolean;
  appIds: number[];
  deviceGroupIds: number[];
  deviceIds: number[];
}

export interface App {
  id: number;
  name: string;
  app_type: 'app store' | 'enterprise' | 'custom b2b';
  bundle_identifier?: string;
  version?: string;
  itunes_store_id?: number;
}

export interface CustomAttribute {
  /** The name is the id. */
  id: string;
  default_value: string | null;
  secret: boolean;
}

export interface DepServer {
  id: number;
  server_name: string;
  organization_name: string;
  token_expires_at: string;
  last_synced_at: string;
}

export interface DepDevice {
  id: number;
  depServerId: number;
  serial_number: string;
  model: string;
  description: string;
  color: string;
  asset_tag: string | null;
  profile_status: 'empty' | 'assigned' | 'pushed' | 'removed';
  device_assigned_date: string;
}

export interface Enrollment {
  id: number;
  /** Null where people enroll by signing in (account-driven): then there is nothing to invite to. */
  url: string | null;
  belongsTo: { type: 'device_group' | 'device'; id: number };
}

export interface Invitation {
  enrollmentId: number;
  contact: string;
  at: string;
}

export interface Script {
  id: number;
  name: string;
  content: string;
  variable_support: boolean;
  created_at: string;
  updated_at: string;
}

export interface ScriptJob {
  id: number;
  script_name: string;
  content: string;
  job_id: string;
  variable_support: boolean;
  status: 'pending' | 'completed' | 'completed-with-errors' | 'cancelled';
  created_by: string;
  created_at: string;
  updated_at: string;
  devices: ScriptJobDevice[];
}

export interface ScriptJobDevice {
  id: number;
  status: 'pending' | 'completed' | 'error' | 'cancelled';
  status_code: string | null;
  response: string | null;
}

export interface Log {
  id: string;
  namespace: 'admin' | 'device';
  event_type: string;
  level: number | string;
  source: string;
  at: string;
  metadata: Readonly<Record<string, unknown>>;
  relationships: Readonly<Record<string, unknown>>;
}

/** Everything that one simulated account holds. */
export interface FleetRecords {
  account: { name: string; apple_store_country_code: string; licenses: number };
  pushCertificate: { apple_id: string; expires_at: string };
  apps: Map<number, App>;
  assignmentGroups: Map<number, AssignmentGroup>;
  customAttributes: Map<string, CustomAttribute>;
  depDevices: Map<number, DepDevice>;
  depServers: Map<number, DepServer>;
  deviceGroups: Map<number, DeviceGroup>;
  devices: Map<number, Device>;
  enrollments: Map<number, Enrollment>;
  invitations: Invitation[];
  logs: Map<string, Log>;
  scriptJobs: Map<number, ScriptJob>;
  scripts: Map<number, Script>;
}

/** The records, and what makes them change: time, ids that count up, and the webhooks that tell of it. */
export interface Fleet extends FleetRecords {
  clock: SimulatorClock;
  webhooks: Webhooks;
  delays: { groupChangeMs: number; scriptJobMs: number };
  nextId(
    kind: 'device' | 'depDevice' | 'enrollment' | 'installedApp' | 'deviceUser' | 'script' | 'scriptJob',
  ): number;
}

/** The records by their id. */
export function byId<R extends { id: number | string }>(records: readonly R[]): Map<R['id'], R> {
  return new Map(records.map((record) => [record.id, record]));
}
