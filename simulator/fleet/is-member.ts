import type { AssignmentGroup } from './fleet.js';

/** Whether a device is in an assignment group, as its own member or through its device group. */
export function isMember(
  { deviceIds, deviceGroupIds }: AssignmentGroup,
  { id, groupId }: { id: number; groupId: number },
): boolean {
  return deviceIds.has(id) || deviceGroupIds.has(groupId);
}
