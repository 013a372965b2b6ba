import { deviceUser } from '../simplemdm/devices.js';
import { listForDevice } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/** The user accounts on the event's device. API reference, Devices, List Users: macOS only. */
export const users: Fact = {
  shape: { list: { fields: { id: 'number', ...fieldsOf(deviceUser.shape.attributes) } } },
  about:
    'the user accounts of a Mac: `users.exists(u, u.username == "admin" && u.secure_token)`, `users.exists(u, u.logged_in)`',
  cost: 10,
  fetch: (context) =>
    listForDevice(
      context,
      (id) => context.api.devices.listUsers(id),
      ({ id, attributes }) => ({ id, ...attributes }),
    ),
};
