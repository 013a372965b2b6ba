import type { Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';

/** Deletes a custom attribute with all its values, some seconds after the call, as real accounts do. */
export function deleteAttributeLater(fleet: Fleet, name: string): void {
  fleet.clock.after(fleet.delays.attributeDeletionMs, () => {
    if (!fleet.customAttributes.delete(name)) return;
    for (const { customValues } of fleet.deviceGroups.values()) customValues.delete(name);
    for (const { customValues } of fleet.assignmentGroups.values()) customValues.delete(name);
    // A new attribute of this name must not show the old values.
    for (const { id, customValues } of fleet.devices.values()) {
      if (customValues.has(name)) fleet.devices.edit(id)?.customValues.delete(name);
    }
    writeAdminLog(fleet, 'custom_attribute.deleted', { name });
  });
}
