import { expect } from '@jest/globals';
import { logged } from './call-test.js';
import type { CallTest, Refusal, World } from './call-test.js';

const phone = 121;
const serial = 'DNFJE9DNG5MG';

const notLost = (run: Refusal['run']): Refusal => ({
  when: 'the device is not in lost mode',
  status: 422,
  run,
});

async function lose({ api, later }: World): Promise<void> {
  await api.lostMode.enable(phone, { message: 'Please call' });
  later();
}

export const lostMode: readonly CallTest[] = [
  {
    call: 'POST /devices/{DEVICE_ID}/lost_mode',
    client: 'lostMode.enable',
    shows: 'enables lost mode with a message or a phone number',
    run: async (world) => {
      const { api, later } = world;
      expect(await api.lostMode.enable(phone, { phoneNumber: '5035551212', footnote: 'Thanks' })).toBe(202);
      later();
      expect(await logged(world, serial)).toContain('lost_mode.enabled');
      expect((await api.devices.retrieve(phone)).attributes.lost_mode_enabled).toBe(true);
    },
    refuses: [
      {
        when: 'message and phone number are missing',
        status: 422,
        run: ({ api }) => api.lostMode.enable(phone, { footnote: 'Thanks' }),
      },
      {
        when: 'the device is a Mac',
        status: 422,
        run: ({ api }) => api.lostMode.enable(54, { message: 'Please call' }),
      },
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.lostMode.enable(999_999, { message: 'Please call' }),
      },
    ],
  },
  {
    call: 'DELETE /devices/{DEVICE_ID}/lost_mode',
    client: 'lostMode.disable',
    shows: 'disables lost mode',
    run: async (world) => {
      await lose(world);
      expect(await world.api.lostMode.disable(phone)).toBe(202);
      world.later();
      expect(await logged(world, serial)).toContain('lost_mode.disabled');
      expect((await world.api.devices.retrieve(phone)).attributes.lost_mode_enabled).toBe(false);
    },
    refuses: [notLost(({ api }) => api.lostMode.disable(phone))],
  },
  {
    call: 'POST /devices/{DEVICE_ID}/lost_mode/play_sound',
    client: 'lostMode.playSound',
    shows: 'the device plays a sound',
    run: async (world) => {
      await lose(world);
      expect(await world.api.lostMode.playSound(phone)).toBe(202);
      world.later();
      expect(await logged(world, serial)).toContain('lost_mode.sound_played');
    },
    refuses: [notLost(({ api }) => api.lostMode.playSound(phone))],
  },
  {
    call: 'POST /devices/{DEVICE_ID}/lost_mode/update_location',
    client: 'lostMode.updateLocation',
    shows: 'the device record has the location as numbers',
    run: async (world) => {
      await lose(world);
      expect(await world.api.lostMode.updateLocation(phone)).toBe(202);
      world.later();
      expect((await world.api.devices.retrieve(phone)).attributes).toMatchObject({
        location_latitude: 45.5230622,
        location_longitude: -122.6764816,
        location_accuracy: 65,
      });
    },
    refuses: [notLost(({ api }) => api.lostMode.updateLocation(phone))],
  },
];
