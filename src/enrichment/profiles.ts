import { profile } from '../simplemdm/profiles.js';
import { listForDevice } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/**
 * The profiles of the event's device. API reference, Devices, List profiles: the profiles assigned to the device itself; those that it gets
 * through groups are not among them.
 */
export const profiles: Fact = {
  shape: { list: { fields: { id: 'number', type: 'string', ...fieldsOf(profile.shape.attributes) } } },
  about:
    'the profiles that are assigned to the device itself, not those of its groups: `profiles.exists(p, p.name == "VPN")`',
  cost: 10,
  fetch: (context) =>
    listForDevice(
      context,
      (id) => context.api.devices.listProfiles(id),
      ({ id, type, attributes }) => ({ id, type, ...attributes }),
    ),
};
