import { send } from './resource.js';
import type { Transport } from './transport.js';

/** What a lost device shows; a message or a phone number there must be. */
export interface LostModeOptions {
  readonly message?: string;
  readonly phoneNumber?: string;
  readonly footnote?: string;
}

/** API reference, section Lost Mode. For supervised iPhones and iPads. */
export function createLostMode(transport: Transport) {
  const below = (deviceId: number, rest = '') => ({
    route: `/devices/{DEVICE_ID}/lost_mode${rest}`,
    params: { DEVICE_ID: deviceId },
  });
  return {
    /**
     * Enable: `POST /devices/{DEVICE_ID}/lost_mode`.
     *
     * @throws SimpleMdmError 422 without a message and a phone number, or on a device that knows no lost mode.
     */
    enable: (deviceId: number, { message, phoneNumber, footnote }: LostModeOptions): Promise<number> =>
      send(transport, {
        method: 'POST',
        ...below(deviceId),
        body: { message, phone_number: phoneNumber, footnote },
        idempotent: true,
      }),

    /** Disable: `DELETE /devices/{DEVICE_ID}/lost_mode`. */
    disable: (deviceId: number): Promise<number> => send(transport, { method: 'DELETE', ...below(deviceId) }),

    /** Play a sound: `POST /devices/{DEVICE_ID}/lost_mode/play_sound`. */
    playSound: (deviceId: number): Promise<number> =>
      send(transport, { method: 'POST', ...below(deviceId, '/play_sound') }),

    /** Update location: `POST /devices/{DEVICE_ID}/lost_mode/update_location`. The device record has it when the device has answered. */
    updateLocation: (deviceId: number): Promise<number> =>
      send(transport, { method: 'POST', ...below(deviceId, '/update_location'), idempotent: true }),
  };
}
