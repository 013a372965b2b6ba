import type { DeviceAttributes } from './device-attributes.js';

export type Platform = 'macOS' | 'iOS' | 'iPadOS' | 'tvOS' | 'unknown';

export interface Device {
  id: number;
  platform: Platform;
  attributes: DeviceAttributes;
  groupId: number;
  apps: InstalledApp[];
  users: DeviceUser[];
  /** The values of this device. They override the values of the group and the defaults of the account. */
  customValues: Map<string, string>;
  /** What its webhooks name until it has reported its inventory. */
  webhookIdentifiers?: { udid: string | null; serial_number: string | null };
  /** What a device in lost mode shows. */
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
