import type { SimulatorClock } from '../clock.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import type { DeviceTable } from './device-table.js';

/** What a custom declaration has and a profile has not. */
export interface Declaration {
  /** Such as `com.apple.configuration.safari.bookmarks`. */
  type: string;
  activationPredicate: string | null;
}

export interface Profile {
  id: number;
  /** Only custom configuration profiles and custom declarations can be changed by the API. */
  type: 'custom_configuration_profile' | 'custom_declaration' | 'wifi';
  name: string;
  profile_identifier: string;
  user_scope: boolean;
  attribute_support: boolean;
  escape_attributes: boolean;
  reinstall_after_os_update: boolean;
  /** The uploaded file. */
  content: Buffer;
  /** Only of a declaration. */
  declaration?: Declaration;
  deviceGroupIds: Set<number>;
  /** Devices with a direct assignment. */
  deviceIds: Set<number>;
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
  priority: number;
  type: 'standard' | 'munki';
  group_type: 'static' | 'dynamic';
  install_type: string | null;
  app_track_location: boolean;
  /** How each app is installed, by the id of the app. */
  apps: Map<number, AppAssignment>;
  deviceGroupIds: Set<number>;
  deviceIds: Set<number>;
  profileIds: Set<number>;
  customValues: Map<string, string>;
}

/** How an app of an assignment group is installed. */
export interface AppAssignment {
  deployment_type: string;
  install_type: string | null;
}

export interface App {
  id: number;
  name: string;
  app_type: 'app store' | 'enterprise' | 'custom b2b' | 'shared';
  bundle_identifier?: string;
  version?: string;
  itunes_store_id?: number;
  installation_channels: readonly string[];
  platform_support: 'iOS' | 'macOS';
  processing_status: 'processing' | 'processed';
}

export interface ManagedAppConfig {
  id: number;
  appId: number;
  key: string;
  value: string;
  value_type: string;
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
  color: string;
  checked_in_at: string | null;
}

export interface Enrollment {
  id: number;
  /** Null for an account driven enrollment, which has no invitations: people sign in. */
  url: string | null;
  belongsTo: { type: 'device_group' | 'device'; id: number };
  user_enrollment: boolean;
  welcome_screen: boolean;
  authentication: boolean;
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
  job_name: string;
  /** The attribute for the output, and what is cut out of the output (API 1.51). */
  storeIn?: { attribute: string; regex: string };
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

/** The custom attributes by name. Names are case insensitive; a record has the name as it was created. */
export interface CustomAttributes extends Iterable<CustomAttribute> {
  get(name: string): CustomAttribute | undefined;
  add(attribute: CustomAttribute): void;
  delete(name: string): boolean;
}

/** The records of a simulated account. */
export interface FleetRecords {
  account: { name: string; apple_store_country_code: string; licenses: number };
  pushCertificate: { apple_id: string; expires_at: string };
  apps: Map<number, App>;
  assignmentGroups: Map<number, AssignmentGroup>;
  customAttributes: CustomAttributes;
  depDevices: Map<number, DepDevice>;
  depServers: Map<number, DepServer>;
  deviceGroups: Map<number, DeviceGroup>;
  devices: DeviceTable;
  enrollments: Map<number, Enrollment>;
  invitations: Invitation[];
  logs: Map<string, Log>;
  managedAppConfigs: Map<number, ManagedAppConfig>;
  /** The Munki pkginfo files, by app. */
  munkiPkginfos: Map<number, string>;
  profiles: Map<number, Profile>;
  scriptJobs: Map<number, ScriptJob>;
  scripts: Map<number, Script>;
}

/** The delays of simulated devices and of SimpleMDM, in milliseconds. */
export interface Delays {
  /** From an enrollment until the device has reported its inventory, step by step. 0: it is there at once. */
  inventoryMs?: number;
  /** From a 202 until the device is in its group. */
  groupChangeMs?: number;
  /** From the creation of a script job until its devices report their results. */
  scriptJobMs?: number;
  /** From a 202 until a device has carried out a command. */
  commandMs?: number;
  /** From the deletion of a custom attribute until it is gone. */
  attributeDeletionMs?: number;
  /** From an upload until the app can be installed. */
  appProcessingMs?: number;
}

/** Kinds of records that get new ids. */
export type NumberedKind =
  | 'app'
  | 'assignmentGroup'
  | 'device'
  | 'depDevice'
  | 'deviceGroup'
  | 'deviceUser'
  | 'enrollment'
  | 'installedApp'
  | 'managedAppConfig'
  | 'profile'
  | 'script'
  | 'scriptJob';

/** The records, with the clock, the webhooks and the ids that changes need. */
export interface Fleet extends FleetRecords {
  clock: SimulatorClock;
  webhooks: Webhooks;
  delays: Required<Delays>;
  /** Whether an assignment or a removal that changes nothing is a 409 instead of a 204. */
  conflicts: boolean;
  /** The time of the last request, in epoch milliseconds, for calls with a minimum interval. */
  lastRequestedAt: Map<string, number>;
  nextId(kind: NumberedKind): number;
}

/** Creates the custom attributes of an account. */
export function customAttributesOf(initial: readonly CustomAttribute[]): CustomAttributes {
  const byName = new Map(initial.map((attribute) => [attribute.id.toLowerCase(), attribute]));
  return {
    get: (name) => byName.get(name.toLowerCase()),
    add: (attribute) => void byName.set(attribute.id.toLowerCase(), attribute),
    delete: (name) => byName.delete(name.toLowerCase()),
    [Symbol.iterator]: () => byName.values(),
  };
}

/** The records by their id. */
export function byId<R extends { id: number | string }>(records: readonly R[]): Map<R['id'], R> {
  return new Map(records.map((record) => [record.id, record]));
}
