import { z } from 'zod';
import type { Platform } from '../enrichment/platform.js';
import { OBLITERATION_BEHAVIORS } from '../simplemdm/device-commands.js';
import { flag } from './argument-types.js';
import { defineDeviceAction } from './device-action.js';
import { pin, pinProblem } from './device-commands.js';
import { profiles } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

const options = z.strictObject({
  pin: pin.optional(),
  preserve_data_plan: flag.optional(),
  disable_activation_lock: flag.optional(),
  disallow_proximity_setup: flag.optional(),
  return_to_service: flag.optional(),
  wifi_profile: reference.optional(),
  obliteration_behavior: z
    .enum(OBLITERATION_BEHAVIORS, `expected one of ${OBLITERATION_BEHAVIORS.join(', ')}`)
    .optional(),
  clear_custom_attributes: flag.optional(),
  unassign_direct_profiles: flag.optional(),
  preserve_managed_apps: flag.optional(),
});

type WipeArguments = z.output<typeof options>;

/** A device that cannot reach a network after the wipe cannot enroll again. */
const args = options.superRefine(
  ({ return_to_service: returns = false, wifi_profile: network, preserve_managed_apps: apps }, context) => {
    const report = (name: keyof WipeArguments, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (returns && network === undefined)
      report('wifi_profile', 'return_to_service needs the name or id of a Wi-Fi profile');
    if (!returns && network !== undefined)
      report('wifi_profile', 'only together with return_to_service: true');
    if (!returns && apps === true)
      report('preserve_managed_apps', 'only together with return_to_service: true');
  },
);

/** The platforms of the options that not every device has. */
const PLATFORMS_OF: Readonly<Partial<Record<keyof WipeArguments, readonly Platform[]>>> = {
  preserve_data_plan: ['iOS', 'iPadOS'],
  disallow_proximity_setup: ['iOS', 'iPadOS'],
  return_to_service: ['iOS', 'iPadOS', 'tvOS', 'visionOS'],
  obliteration_behavior: ['macOS'],
  preserve_managed_apps: ['iOS', 'iPadOS', 'visionOS'],
};

/** API reference, Devices, Wipe, with the options of later versions. */
export const wipe = defineDeviceAction({
  causes: 'device.unenrolled',
  about:
    'Erases the device. `return_to_service` enrolls the device again and needs a `wifi_profile`. An option that the platform of the device does not have fails the step before the wipe.',
  example: 'wipe: { return_to_service: true, wifi_profile: Office Wi-Fi, preserve_data_plan: true }',
  class: 'destructive',
  args,
  refersTo: { wifi_profile: profiles.kind },
  repeatable: false,
  refuse: (given, { platform }) => pinProblem(given.pin) ?? platformProblem(given, platform),
  send: async (given, { id }, { api, lists }) => {
    const network =
      given.wifi_profile === undefined ? undefined : await profiles.find(given.wifi_profile, lists);
    return api.devices.wipe(id, {
      pin: given.pin,
      preserveDataPlan: given.preserve_data_plan,
      disableActivationLock: given.disable_activation_lock,
      disallowProximitySetup: given.disallow_proximity_setup,
      returnToService: given.return_to_service,
      wifiNetworkId: network?.id,
      obliterationBehavior: given.obliteration_behavior,
      clearCustomAttributes: given.clear_custom_attributes,
      unassignDirectProfiles: given.unassign_direct_profiles,
      preserveManagedApps: given.preserve_managed_apps,
    });
  },
});

/** An option for another platform: the device would be erased without what the rule wants to keep. */
function platformProblem(given: WipeArguments, platform: string | null): string | undefined {
  for (const name of options.keyof().options) {
    const platforms = given[name] === undefined ? undefined : PLATFORMS_OF[name];
    if (platforms !== undefined && !platforms.some((supported) => supported === platform))
      return `${name}: for ${platforms.join(', ')} only; this device is ${platform ?? 'of an unknown platform'}`;
  }
  return undefined;
}
