import { flagParam, textParam } from '../api/params.js';
import type { Call } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { unenroll } from '../scenarios/unenroll.js';

const obliterationBehaviors = ['Default', 'DoNotObliterate', 'ObliterateWithWarning', 'Always'];

const flags = [
  'preserve_data_plan',
  'disable_activation_lock',
  'disallow_proximity_setup',
  'return_to_service',
  'clear_custom_attributes',
  'unassign_direct_profiles',
  'preserve_managed_apps',
];

/** Why a wipe is a 422; undefined when it is not. */
export function wipeProblem(_device: Device, { params }: Call, { profiles }: Fleet): string | undefined {
  const pin = textParam(params, 'pin');
  if (pin !== undefined && !/^\d{6}$/.test(pin)) return 'pin must be a 6-digit number';
  const behavior = textParam(params, 'obliteration_behavior');
  if (behavior !== undefined && !obliterationBehaviors.includes(behavior))
    return `obliteration_behavior must be one of ${obliterationBehaviors.join(', ')}`;
  const network = textParam(params, 'wifi_network_id');
  if (network !== undefined && profiles.get(Number(network))?.type !== 'wifi')
    return 'wifi_network_id is not the id of a Wi-Fi profile';
  if (flagParam(params, 'return_to_service') === true && network === undefined)
    return 'return_to_service requires wifi_network_id';
  return undefined;
}

/** Erases and unenrolls a device. The log entry has the options of the wipe. */
export function wipe(fleet: Fleet, device: Device, { params }: Call): void {
  const metadata = new Map<string, unknown>();
  for (const name of flags) metadata.set(name, flagParam(params, name));
  for (const name of ['wifi_network_id', 'obliteration_behavior'])
    metadata.set(name, textParam(params, name));
  writeDeviceLog(fleet, device, {
    event_type: 'device.wiped',
    metadata: Object.fromEntries([...metadata].filter(([, value]) => value !== undefined)),
  });
  unenroll(fleet, device.id);
}
