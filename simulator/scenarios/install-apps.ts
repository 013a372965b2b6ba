import type { Device } from '../fleet/device.js';
import type { App, Fleet } from '../fleet/fleet.js';
import { isMember } from '../fleet/is-member.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { timestamp } from '../timestamps.js';
import { commandLater } from './command.js';

/** The apps that assignment groups assign to a device, directly or through its device group. */
export function assignedApps({ assignmentGroups }: Fleet, device: Device): number[] {
  return [...assignmentGroups.values()].flatMap((group) =>
    isMember(group, device) ? [...group.apps.keys()] : [],
  );
}

/** Installs apps on a device, or updates them to the version of the catalog, after a delay. */
export function installLater(fleet: Fleet, deviceId: number, appIds: readonly number[]): void {
  if (appIds.length === 0) return;
  commandLater(fleet, deviceId, (device) => {
    for (const appId of new Set(appIds)) {
      const app = fleet.apps.get(appId);
      if (app !== undefined) install(fleet, device, app);
    }
  });
}

function install(fleet: Fleet, device: Device, app: App): void {
  const at = timestamp(fleet.clock.now());
  const identifier = app.bundle_identifier ?? `com.example.app${app.id}`;
  const version = app.version ?? '1.0';
  const present = device.apps.find((installed) => installed.identifier === identifier);
  if (present?.version === version) return;
  if (present === undefined) {
    device.apps.push({
      id: fleet.nextId('installedApp'),
      name: app.name,
      identifier,
      version,
      short_version: version,
      bundle_size: 15_720_448,
      dynamic_size: 16_384,
      managed: true,
      discovered_at: at,
      last_seen_at: at,
    });
  } else {
    Object.assign(present, { version, short_version: version, last_seen_at: at });
  }
  writeDeviceLog(fleet, device, { event_type: 'app.installed', metadata: { name: app.name, version } });
}
