import type { Action } from './action.js';
import {
  assignAssignmentGroup,
  pushGroupApps,
  unassignAssignmentGroup,
  updateGroupApps,
} from './assignment-groups.js';
import { setAttribute, setGroupAttribute } from './custom-attributes.js';
import { assignDeclaration, unassignDeclaration } from './declarations.js';
import { syncDepServer } from './dep-servers.js';
import * as commands from './device-commands.js';
import { assignDeviceGroup } from './device-groups.js';
import { createDevice, deleteDevice, deleteUser, rename } from './devices.js';
import { emit } from './emit.js';
import { sendInvitation } from './enrollments.js';
import { httpRequest } from './http-request.js';
import { requestAppManagement, uninstallApp, updateApp } from './installed-apps.js';
import { log } from './log.js';
import { notify } from './notify.js';
import { disableLostMode, enableLostMode, playLostModeSound, updateLostModeLocation } from './lost-mode.js';
import { assignProfile, unassignProfile } from './profiles.js';
import { cancelScript, runScript } from './scripts.js';
import { wait } from './wait.js';
import { wipe } from './wipe.js';

/** Every action by its name in rules. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  assign_device_group: assignDeviceGroup,
  assign_assignment_group: assignAssignmentGroup,
  unassign_assignment_group: unassignAssignmentGroup,
  assign_profile: assignProfile,
  unassign_profile: unassignProfile,
  assign_declaration: assignDeclaration,
  unassign_declaration: unassignDeclaration,
  push_apps: commands.pushApps,
  push_group_apps: pushGroupApps,
  update_group_apps: updateGroupApps,
  request_app_management: requestAppManagement,
  update_app: updateApp,
  uninstall_app: uninstallApp,
  set_attribute: setAttribute,
  set_group_attribute: setGroupAttribute,
  rename,
  create_device: createDevice,
  send_invitation: sendInvitation,
  run_script: runScript,
  cancel_script: cancelScript,
  refresh: commands.refresh,
  restart: commands.restart,
  shut_down: commands.shutDown,
  lock: commands.lock,
  clear_passcode: commands.clearPasscode,
  clear_firmware_password: commands.clearFirmwarePassword,
  rotate_firmware_password: commands.rotateFirmwarePassword,
  rotate_filevault_key: commands.rotateFileVaultKey,
  clear_recovery_lock_password: commands.clearRecoveryLockPassword,
  rotate_recovery_lock_password: commands.rotateRecoveryLockPassword,
  clear_restrictions_password: commands.clearRestrictionsPassword,
  set_admin_password: commands.setAdminPassword,
  rotate_admin_password: commands.rotateAdminPassword,
  update_os: commands.updateOs,
  remote_desktop: commands.remoteDesktop,
  bluetooth: commands.bluetooth,
  set_time_zone: commands.setTimeZone,
  send_device_message: commands.sendDeviceMessage,
  refresh_cellular_plans: commands.refreshCellularPlans,
  enable_lost_mode: enableLostMode,
  disable_lost_mode: disableLostMode,
  play_lost_mode_sound: playLostModeSound,
  update_lost_mode_location: updateLostModeLocation,
  sync_dep_server: syncDepServer,
  delete_user: deleteUser,
  disable_activation_lock: commands.disableActivationLock,
  unenroll: commands.unenroll,
  delete_device: deleteDevice,
  wipe,
  notify,
  http_request: httpRequest,
  emit,
  wait,
  log,
};
