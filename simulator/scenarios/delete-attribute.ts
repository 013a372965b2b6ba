import type { Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';

/** A custom attribute goes with all its values, some seconds after the call (seen in real accounts). */
export function deleteAttributeLater(fleet: Fleet, name: string): void {
  fleet.clock.after(fleet.delays.attributeDeletionMs, () => {
    if (!fleet.customAttributes.delete(name)) return;
    for (const { customValues } of fleet.deviceGroups.values()) customValues.delete(name);
    for (const { customValues } of fleet.assignmentGroups.values()) customValues.delete(name);
    // Values on devices are shown only for attributes that there are; a new one of that name must not find them.
    for (const { id, customValues } of fleet.devices.values()) {
      if (customValues.has(name)) fleet.devices.edit(id)?.customValues.delete(name);
    }
    writeAdminLog(fleet, 'custom_attribute.deleted', { name });
  });
}
