import { z } from 'zod';
import type { Directory } from '../simplemdm/directory.js';
import { defineDeviceAction } from './device-action.js';
import { reference, resolveReference } from './reference.js';
import type { Reference } from './reference.js';

const args = z.strictObject({ profile: reference });
const refersTo = { profile: 'profile' } as const;
const outputs = { profile_id: 'number', profile_name: 'string' } as const;

async function profileOf(
  profile: Reference,
  { profiles }: Directory,
): Promise<{ profile_id: number; profile_name: string | null }> {
  const { id, attributes } = await resolveReference(
    'profile',
    profile,
    profiles,
    (item) => item.attributes.name ?? undefined,
  );
  return { profile_id: id, profile_name: attributes.name ?? null };
}

/** Puts a profile of any kind on the device (API 1.51, Profiles, Assign to device). */
export const assignProfile = defineDeviceAction({
  about: 'Puts a profile on the device itself.',
  example: 'assign_profile: { profile: Office Wi-Fi }',
  args,
  refersTo,
  outputs,
  repeatable: true,
  send: async ({ profile }, { id }, { api, directory }) => {
    const found = await profileOf(profile, directory);
    await api.profiles.assignToDevice(found.profile_id, id);
    return found;
  },
});

/** Takes a profile off the device (API 1.51, Profiles, Unassign from device). */
export const unassignProfile = defineDeviceAction({
  about: 'Takes a profile off the device that was assigned to it directly.',
  example: 'unassign_profile: { profile: Office Wi-Fi }',
  args,
  refersTo,
  outputs,
  repeatable: true,
  send: async ({ profile }, { id }, { api, directory }) => {
    const found = await profileOf(profile, directory);
    await api.profiles.unassignFromDevice(found.profile_id, id);
    return found;
  },
});
