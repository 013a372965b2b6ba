import type { DeviceAttributes } from './device-attributes.js';

export type Platform = 'macOS' | 'iOS' | 'iPadOS' | 'tvOS' | 'unknown';

export interface Device {
  id: number;
  platform: Platform;
  attributes: DeviceAttributes;
  groupId: number;
  apps: InstalledApp[];
  users: DeviceUser[];
  /** Values set on this device itself; the group's and the account's stand behind them. */
  customValues: Map<string, string>;
  /** Newer records list their custom attribute values among the relationships, older ones do not. */
  listsCustomValues: boolean;
  /** What a lost device shows, while it is lost. */
  lostMode?: { message?: string; phone_number?: string; footnote?: string };
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
