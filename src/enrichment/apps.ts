import { installedAppAttributes } from '../simplemdm/installed-apps.js';
import { forDevice } from './device-list.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './shape-of.js';

/** The apps installed on the event's device, each with its `id` and its attributes. */
export const apps: Fact = {
  shape: { list: { fields: { id: 'number', ...fieldsOf(installedAppAttributes) } } },
  cost: 10,
  fetch: (context) =>
    forDevice(
      context,
      (id) => context.api.devices.listInstalledApps(id),
      ({ id, attributes }) => ({ id, ...attributes }),
    ),
};
