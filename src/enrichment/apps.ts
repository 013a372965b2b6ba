import { installedAppAttributes } from '../simplemdm/installed-apps.js';
import { listForDevice } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/** The apps on the event's device, each with `id` and attributes. */
export const apps: Fact = {
  shape: { list: { fields: { id: 'number', ...fieldsOf(installedAppAttributes) } } },
  about: 'the installed apps: `apps.exists(a, a.identifier == "com.microsoft.Word")`',
  cost: 10,
  fetch: (context) =>
    listForDevice(
      context,
      (id) => context.api.devices.listInstalledApps(id),
      ({ id, attributes }) => ({ id, ...attributes }),
    ),
};
