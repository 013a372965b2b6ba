import type { DeviceUser } from './device.js';

/** A local account on a Mac (reference: Devices, List Users). */
export function deviceUser(
  given: Pick<DeviceUser, 'id' | 'username' | 'full_name' | 'user_guid'>,
): DeviceUser {
  return {
    ...given,
    uid: 501,
    data_quota: null,
    data_used: null,
    data_to_sync: false,
    secure_token: true,
    logged_in: true,
    mobile_account: false,
  };
}
