import type { Action } from './action.js';
import { assignDeviceGroup } from './device-groups.js';
import { sendInvitation } from './enrollments.js';
import { log } from './log.js';
import { runScript } from './scripts.js';

/** Every action by the name that rules call it. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  assign_device_group: assignDeviceGroup,
  run_script: runScript,
  send_invitation: sendInvitation,
  log,
};
