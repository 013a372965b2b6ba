import { z } from 'zod';
import type { Directory } from '../simplemdm/directory.js';
import { defineAction } from './action.js';
import { defineDeviceAction } from './device-action.js';
import { reference, resolveReference } from './reference.js';
import type { Reference } from './reference.js';

const args = z.strictObject({ group: reference });
const refersTo = { group: 'assignment group' } as const;
const outputs = { group_id: 'number', group_name: 'string' } as const;

async function groupOf(
  group: Reference,
  { assignmentGroups }: Directory,
): Promise<{ group_id: number; group_name: string | null }> {
  const { id, attributes } = await resolveReference(
    'assignment group',
    group,
    assignmentGroups,
    (item) => item.attributes.name ?? undefined,
  );
  return { group_id: id, group_name: attributes.name ?? null };
}

/** API reference, Assignment Groups, Assign device. */
export const assignAssignmentGroup = defineDeviceAction({
  about: 'Puts the device in an assignment group, whose apps and profiles it then gets.',
  example: 'assign_assignment_group: { group: Productivity Apps }',
  args,
  refersTo,
  outputs,
  repeatable: true,
  send: async ({ group }, { id }, { api, directory }) => {
    const found = await groupOf(group, directory);
    await api.assignmentGroups.assignDevice(found.group_id, id);
    return found;
  },
});

/** API reference, Assignment Groups, Unassign device. */
export const unassignAssignmentGroup = defineDeviceAction({
  about: 'Takes the device out of an assignment group.',
  example: 'unassign_assignment_group: { group: Productivity Apps }',
  args,
  refersTo,
  outputs,
  repeatable: true,
  send: async ({ group }, { id }, { api, directory }) => {
    const found = await groupOf(group, directory);
    await api.assignmentGroups.unassignDevice(found.group_id, id);
    return found;
  },
});

/** Installs the apps of an assignment group on all its devices (API reference, Assignment Groups, Push apps). */
export const pushGroupApps = defineAction({
  about: 'Installs the apps of an assignment group on all its devices.',
  example: 'push_group_apps: { group: Productivity Apps }',
  args,
  refersTo,
  outputs,
  facts: [],
  perform: async ({ group }, { api, directory }) => {
    const found = await groupOf(group, directory);
    await api.assignmentGroups.pushApps(found.group_id);
    return { status: 'completed', output: found };
  },
});

/** Updates the apps of an assignment group on all its devices (API reference, Assignment Groups, Update apps). */
export const updateGroupApps = defineAction({
  about: 'Updates the apps of an assignment group on all its devices.',
  example: 'update_group_apps: { group: Productivity Apps }',
  args,
  refersTo,
  outputs,
  facts: [],
  perform: async ({ group }, { api, directory }) => {
    const found = await groupOf(group, directory);
    await api.assignmentGroups.updateApps(found.group_id);
    return { status: 'completed', output: found };
  },
});
