import { member } from '../model/values.js';
import { unknown } from './unknown-value.js';

/** The groups of the device, as far as they were looked up. */
interface Groups {
  /** The device group: null when the device has none, undefined when it was not looked up. */
  readonly group: unknown;
  /** The assignment groups: null without a device, undefined when they were not looked up. */
  readonly assignmentGroups: unknown;
}

/**
 * `in_group`: a text is the name of the device group or of an assignment group, or the id of the device group. A number is the id of the
 * device group only, because the two kinds may have the same ids.
 */
export function isInGroup(given: string | bigint, { group, assignmentGroups }: Groups): boolean {
  const [name, id] = ['name', 'id'].map((field) => member(group, field));
  const isDeviceGroup = name !== undefined || id !== undefined;
  if (isDeviceGroup && (given === name || String(given) === String(id))) return true;
  if (typeof given === 'string' && isNamed(assignmentGroups, given)) return true;
  // A device without a device group has its assignment groups only.
  const isDecided = typeof given === 'string' ? Array.isArray(assignmentGroups) : isDeviceGroup;
  const mayBeDeviceGroup =
    group === undefined || (isDeviceGroup && typeof given === 'string' && name === null);
  const mayBeAssignmentGroup = typeof given === 'string' && hasNameless(assignmentGroups);
  if (!isDecided || mayBeDeviceGroup || mayBeAssignmentGroup)
    throw unknown('the groups of the device are unknown');
  return false;
}

/** `in_assignment_group`: a text is a name, or an id when no group has that name; a number is an id. */
export function isInAssignmentGroup(given: string | bigint, { assignmentGroups }: Groups): boolean {
  if (!Array.isArray(assignmentGroups)) throw unknown('the assignment groups of the device are unknown');
  if (isNamed(assignmentGroups, given) || hasMember(assignmentGroups, 'id', given)) return true;
  if (typeof given === 'string' && hasNameless(assignmentGroups))
    throw unknown('the name of an assignment group of the device is unknown');
  return false;
}

/** Whether a group of the device has a record without a readable name: it may have any name. */
function hasNameless(groups: unknown): boolean {
  return Array.isArray(groups) && groups.some((group) => (member(group, 'name') ?? null) === null);
}

function isNamed(groups: unknown, name: string | bigint): boolean {
  return hasMember(groups, 'name', name);
}

function hasMember(groups: unknown, field: 'name' | 'id', wanted: string | bigint): boolean {
  return Array.isArray(groups) && groups.some((group) => isSame(member(group, field), wanted));
}

/** Whether a name or an id is the wanted one. Null is nobody's name. */
function isSame(found: unknown, wanted: string | bigint): boolean {
  return (typeof found === 'string' || typeof found === 'number') && String(found) === String(wanted);
}
