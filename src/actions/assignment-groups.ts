import { defineDeviceReferenceAction, defineReferenceAction } from './reference-action.js';
import { assignmentGroups } from './reference-kinds.js';

const group = { argument: 'group', kind: assignmentGroups };

/** API reference, Assignment Groups, Assign device. */
export const assignAssignmentGroup = defineDeviceReferenceAction({
  about: 'Adds the device to an assignment group. The device gets the apps and profiles of the group.',
  example: 'assign_assignment_group: { group: Productivity Apps }',
  ...group,
  send: (api, groupId, deviceId) => api.assignmentGroups.assignDevice(groupId, deviceId),
});

/** API reference, Assignment Groups, Unassign device. */
export const unassignAssignmentGroup = defineDeviceReferenceAction({
  about: 'Removes the device from an assignment group.',
  example: 'unassign_assignment_group: { group: Productivity Apps }',
  ...group,
  send: (api, groupId, deviceId) => api.assignmentGroups.unassignDevice(groupId, deviceId),
});

/** API reference, Assignment Groups, Push apps. */
export const pushGroupApps = defineReferenceAction({
  about: 'Installs the apps of an assignment group on all devices of the group.',
  example: 'push_group_apps: { group: Productivity Apps }',
  ...group,
  send: (api, groupId) => api.assignmentGroups.pushApps(groupId),
});

/** API reference, Assignment Groups, Update apps. */
export const updateGroupApps = defineReferenceAction({
  about: 'Updates the apps of an assignment group on all devices of the group.',
  example: 'update_group_apps: { group: Productivity Apps }',
  ...group,
  send: (api, groupId) => api.assignmentGroups.updateApps(groupId),
});
