import { z } from 'zod';
import type { Platform } from '../enrichment/platform.js';
import { noArguments, text } from './argument-types.js';
import { defineDeviceAction } from './device-action.js';

const platforms: readonly Platform[] = ['iOS', 'iPadOS'];

/** API reference, Lost Mode, Enable. */
export const enableLostMode = defineDeviceAction({
  about: 'Locks a lost device and shows a message, a phone number, or both.',
  example: 'enable_lost_mode: { message: This iPad is lost, phone_number: +1 503 555 0100 }',
  class: 'disruptive',
  args: z
    .strictObject({ message: text.optional(), phone_number: text.optional(), footnote: text.optional() })
    .refine(
      ({ message, phone_number }) => message !== undefined || phone_number !== undefined,
      'expected a message or a phone_number',
    ),
  platforms,
  supervised: true,
  repeatable: true,
  send: ({ message, phone_number, footnote }, { id }, { api }) =>
    api.lostMode.enable(id, {
      ...(message !== undefined && { message }),
      ...(phone_number !== undefined && { phoneNumber: phone_number }),
      ...(footnote !== undefined && { footnote }),
    }),
});

/** API reference, Lost Mode, Disable. */
export const disableLostMode = defineDeviceAction({
  about: 'Ends lost mode.',
  example: 'disable_lost_mode: {}',
  args: noArguments,
  platforms,
  supervised: true,
  repeatable: true,
  send: (_args, { id }, { api }) => api.lostMode.disable(id),
});

/** API reference, Lost Mode, Play a sound. */
export const playLostModeSound = defineDeviceAction({
  about: 'Plays a sound on a lost device.',
  example: 'play_lost_mode_sound: {}',
  class: 'disruptive',
  args: noArguments,
  platforms,
  supervised: true,
  repeatable: false,
  send: (_args, { id }, { api }) => api.lostMode.playSound(id),
});

/** API reference, Lost Mode, Update location. */
export const updateLostModeLocation = defineDeviceAction({
  about: 'Requests the location of a lost device. The device record has the location a moment later.',
  example: 'update_lost_mode_location: {}',
  args: noArguments,
  platforms,
  supervised: true,
  repeatable: true,
  send: (_args, { id }, { api }) => api.lostMode.updateLocation(id),
});
