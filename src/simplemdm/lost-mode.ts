import { send } from './resource.js';
import type { Transport } from './transport.js';

/** What a lost device shows. A message or a phone number is required. */
export interface LostModeOptions {
  readonly message?: string;
  readonly phoneNumber?: string;
  readonly footnote?: string;
}

/** API reference, section Lost Mode. Supervised iPhones and iPads only. */
export function createLostMode(transport: Transport) {
  const routeTo = (deviceId: number, rest = '') => ({
    route: `/devices/{DEVICE_ID}/lost_mode${rest}`,
    params: { DEVICE_ID: deviceId },
  });
  return {
    /**
     * Enable: `POST /devices/{DEVICE_ID}/lost_mode`.
     *
     * @throws SimpleMdmError 422 without a message and a phone number, or when the device does not support lost mode.
     */
    enable: (deviceId: number, { message, phoneNumber, footnote }: LostModeOptions): Promise<number> =>
      send(transport, {
        method: 'POST',
        ...routeTo(deviceId),
        body: { message, phone_number: phoneNumber, footnote },
        idempotent: true,
      }),

    /** Disable: `DELETE /devices/{DEVICE_ID}/lost_mode`. */
    disable: (deviceId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(deviceId) }),

    /** Play a sound: `POST /devices/{DEVICE_ID}/lost_mode/play_sound`. */
    playSound: (deviceId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(deviceId, '/play_sound') }),

    /** Update location: `POST /devices/{DEVICE_ID}/lost_mode/update_location`. The device record has the location after the device responds. */
    updateLocation: (deviceId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(deviceId, '/update_location'), idempotent: true }),
  };
}
