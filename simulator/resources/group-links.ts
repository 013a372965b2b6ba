import type { AssignmentGroup } from '../fleet/fleet.js';

/** An assignment group among the relationships of a device or a profile. */
export interface GroupLink {
  type: 'assignment_group';
  id: number;
  group_type: 'static' | 'dynamic';
}

/** The link to an assignment group. */
export function groupLink({ id, group_type }: AssignmentGroup): GroupLink {
  return { type: 'assignment_group', id, group_type };
}
