import { accepted, noContent, tooManyRequests, unprocessable, type ApiResponse } from '../api/response.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { newestRelease } from '../fleet/device-models.js';
import { randomPassword, randomRecoveryKey } from '../fleet/hardware.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { commandLater } from '../scenarios/command.js';
import { assignedApps, installLater } from '../scenarios/install-apps.js';
import { lock } from '../scenarios/lock.js';
import { unenroll } from '../scenarios/unenroll.js';
import { withRecord } from './retrieve.js';
import { wipe, wipeProblem } from './wipe.js';

/** A device command: its call, and its effect on the device. */
interface Command {
  method?: 'POST' | 'DELETE';
  name: string;
  /** Why the call fails with a 422; undefined when it succeeds. */
  refuse?: (device: Device, call: Call, fleet: Fleet) => string | undefined;
  /** The effect on the device, after a delay. */
  act?: (fleet: Fleet, device: Device, call: Call) => void;
  /** The log entry of the completed command. None when `act` writes its own. */
  logged?: string;
  /** Default: 202. */
  response?: () => ApiResponse;
}

const sixDigits = /^\d{6}$/;
const updateModes = ['smart_update', 'download_only', 'notify_only', 'install_asap', 'force_update'];
const versionTypes = ['latest_minor_version', 'latest_major_version'];

const macOnly = ({ platform }: Device) =>
  platform === 'macOS' ? undefined : 'command is supported by macOS devices only';
const supervisedOnly = ({ attributes }: Device) =>
  attributes.is_supervised === true ? undefined : 'command is supported by supervised devices only';
const mobileOnly = ({ platform }: Device) =>
  platform === 'iOS' || platform === 'iPadOS' ? undefined : 'command is supported by iOS devices only';

/** The commands of the reference's section Devices, then those of API 1.51 and 1.55. */
const commands: readonly Command[] = [
  {
    name: 'push_apps',
    act: (fleet, device) => installLater(fleet, device.id, assignedApps(fleet, device)),
    logged: 'device.apps_pushed',
  },
  { name: 'restart', logged: 'device.restarted' },
  { name: 'shutdown', logged: 'device.shut_down' },
  {
    name: 'lock',
    refuse: ({ platform }, { params }) =>
      platform === 'macOS' && !sixDigits.test(textParam(params, 'pin') ?? '')
        ? 'pin must be a 6-digit number for macOS devices'
        : undefined,
    act: (fleet, { id }) => lock(fleet, id),
  },
  {
    name: 'clear_passcode',
    act: (_fleet, { attributes }) => (attributes.passcode_present = false),
    logged: 'device.passcode_cleared',
  },
  {
    name: 'clear_firmware_password',
    refuse: macOnly,
    act: (_fleet, { attributes }) =>
      Object.assign(attributes, { firmware_password_enabled: false, firmware_password: null }),
    logged: 'device.firmware_password_cleared',
  },
  {
    name: 'rotate_filevault_key',
    refuse: (device) =>
      macOnly(device) ??
      (device.attributes.filevault_recovery_key === null
        ? 'the current recovery key is not known'
        : undefined),
    act: (_fleet, { attributes }) => (attributes.filevault_recovery_key = randomRecoveryKey()),
    logged: 'device.filevault_key_rotated',
  },
  {
    name: 'wipe',
    refuse: wipeProblem,
    act: wipe,
  },
  {
    name: 'update_os',
    refuse: ({ platform }, { params }) => {
      const mode = textParam(params, 'os_update_mode');
      const type = textParam(params, 'version_type');
      if (platform === 'macOS' && mode === undefined) return 'os_update_mode is required for macOS devices';
      if (mode !== undefined && !updateModes.includes(mode)) {
        return `os_update_mode must be one of ${updateModes.join(', ')}`;
      }
      if (type !== undefined && !versionTypes.includes(type)) {
        return `version_type must be one of ${versionTypes.join(', ')}`;
      }
      return undefined;
    },
    act: (_fleet, { platform, attributes }, { params }) => {
      const mode = textParam(params, 'os_update_mode') ?? 'install_asap';
      if (mode === 'download_only' || mode === 'notify_only') return;
      const { version, build } = newestRelease(platform);
      Object.assign(attributes, { os_version: version, build_version: build });
    },
    logged: 'device.os_updated',
  },
  {
    name: 'remote_desktop',
    refuse: macOnly,
    act: (_fleet, { attributes }) => (attributes.remote_desktop_enabled = true),
    logged: 'device.remote_desktop_enabled',
  },
  {
    method: 'DELETE',
    name: 'remote_desktop',
    refuse: macOnly,
    act: (_fleet, { attributes }) => (attributes.remote_desktop_enabled = false),
    logged: 'device.remote_desktop_disabled',
  },
  {
    name: 'rotate_firmware_password',
    refuse: macOnly,
    act: (_fleet, { attributes }) =>
      Object.assign(attributes, { firmware_password_enabled: true, firmware_password: randomPassword() }),
    logged: 'device.firmware_password_rotated',
  },
  {
    name: 'clear_recovery_lock_password',
    refuse: macOnly,
    act: (_fleet, { attributes }) =>
      Object.assign(attributes, { recovery_lock_password_enabled: false, recovery_lock_password: null }),
    logged: 'device.recovery_lock_password_cleared',
  },
  {
    name: 'rotate_recovery_lock_password',
    refuse: macOnly,
    act: (_fleet, { attributes }) =>
      Object.assign(attributes, {
        recovery_lock_password_enabled: true,
        recovery_lock_password: randomPassword(),
      }),
    logged: 'device.recovery_lock_password_rotated',
  },
  { name: 'clear_restrictions_password', refuse: mobileOnly, logged: 'device.restrictions_password_cleared' },
  {
    name: 'set_admin_password',
    refuse: (device, { params }) =>
      macOnly(device) ??
      (textParam(params, 'new_password') === undefined ? 'new_password is required' : undefined),
    logged: 'device.admin_password_set',
  },
  { name: 'rotate_admin_password', refuse: macOnly, logged: 'device.admin_password_rotated' },
  { name: 'bluetooth', logged: 'device.bluetooth_enabled' },
  { method: 'DELETE', name: 'bluetooth', logged: 'device.bluetooth_disabled' },
  {
    name: 'set_time_zone',
    refuse: ({ platform }, { params }) => {
      if (platform === 'macOS') return 'command is supported by iOS and tvOS devices only';
      const zone = textParam(params, 'time_zone');
      if (zone === undefined) return 'time_zone is required';
      return Intl.supportedValuesOf('timeZone').includes(zone) || zone === 'UTC'
        ? undefined
        : 'time_zone is not a known time zone';
    },
    act: (_fleet, { attributes }, { params }) =>
      (attributes.time_zone = textParam(params, 'time_zone') ?? null),
    logged: 'device.time_zone_set',
    response: noContent,
  },
  { name: 'unenroll', act: (fleet, { id }) => unenroll(fleet, id) },
  {
    name: 'send_message',
    refuse: (device, { params }) =>
      mobileOnly(device) ??
      supervisedOnly(device) ??
      (textParam(params, 'message') === undefined ? 'message is required' : undefined),
    logged: 'device.message_sent',
  },
  {
    name: 'disable_activation_lock',
    refuse: supervisedOnly,
    act: (_fleet, { attributes }) => (attributes.is_activation_lock_enabled = false),
    logged: 'device.activation_lock_disabled',
  },
  {
    name: 'refresh_cellular_plans',
    refuse: (device, { params }) =>
      mobileOnly(device) ??
      (/^https:\/\/./.test(textParam(params, 'esim_server_url') ?? '')
        ? undefined
        : 'esim_server_url must be an https URL'),
    logged: 'device.cellular_plans_refreshed',
  },
];

/** The calls of the reference's section Devices that send a command to a device, and those of API 1.51 and 1.55. */
export function deviceCommandRoutes(fleet: Fleet): Route[] {
  return [...commands.map((command) => commandRoute(fleet, command)), refreshRoute(fleet)];
}

function commandRoute(
  fleet: Fleet,
  { method = 'POST', name, refuse, act, logged, response }: Command,
): Route {
  return {
    method,
    path: `/devices/:id/${name}`,
    handle: (call) =>
      withRecord(call, fleet.devices, (device) => {
        const refusal = notEnrolled(device) ?? refuse?.(device, call, fleet);
        if (refusal !== undefined) return unprocessable(refusal);
        commandLater(fleet, device.id, (online) => {
          act?.(fleet, online, call);
          if (logged !== undefined) writeDeviceLog(fleet, online, { event_type: logged });
        });
        return (response ?? accepted)();
      }),
  };
}

function notEnrolled({ attributes }: Device): string | undefined {
  return attributes.status === 'enrolled' ? undefined : 'device is not enrolled';
}

const refreshEveryMs = 30_000;

/** Allows one refresh per device and half minute (reference: Devices, Refresh). */
function refreshRoute(fleet: Fleet): Route {
  return {
    method: 'POST',
    path: '/devices/:id/refresh',
    handle: (call) =>
      withRecord(call, fleet.devices, (device) => {
        const refusal = notEnrolled(device);
        if (refusal !== undefined) return unprocessable(refusal);
        const now = fleet.clock.now().getTime();
        const key = `refresh ${device.id}`;
        const next = (fleet.lastRequestedAt.get(key) ?? -Infinity) + refreshEveryMs;
        if (now < next) return tooManyRequests(next);
        fleet.lastRequestedAt.set(key, now);
        commandLater(fleet, device.id, (online) =>
          writeDeviceLog(fleet, online, { event_type: 'device.refreshed' }),
        );
        return accepted();
      }),
  };
}
