import { defineDeviceReferenceAction } from './reference-action.js';
import { profiles } from './reference-kinds.js';

const profile = { argument: 'profile', kind: profiles };

/** Profiles of any kind (API 1.51, Profiles, Assign to device). */
export const assignProfile = defineDeviceReferenceAction({
  about: 'Assigns a profile to the device directly.',
  example: 'assign_profile: { profile: Office Wi-Fi }',
  ...profile,
  send: (api, profileId, deviceId) => api.profiles.assignToDevice(profileId, deviceId),
});

/** Profiles of any kind (API 1.51, Profiles, Unassign from device). */
export const unassignProfile = defineDeviceReferenceAction({
  about: 'Removes a profile that is assigned to the device directly.',
  example: 'unassign_profile: { profile: Office Wi-Fi }',
  ...profile,
  send: (api, profileId, deviceId) => api.profiles.unassignFromDevice(profileId, deviceId),
});
