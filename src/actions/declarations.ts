import { defineDeviceReferenceAction } from './reference-action.js';
import { declarations } from './reference-kinds.js';

const declaration = { argument: 'declaration', kind: declarations };

/** Custom declarations, Assign to device (seen in use). */
export const assignDeclaration = defineDeviceReferenceAction({
  about: 'Assigns a custom declaration to the device directly.',
  example: 'assign_declaration: { declaration: Safari bookmarks }',
  ...declaration,
  send: (api, declarationId, deviceId) => api.customDeclarations.assignToDevice(declarationId, deviceId),
});

/** Custom declarations, Unassign from device (seen in use). */
export const unassignDeclaration = defineDeviceReferenceAction({
  about: 'Removes a custom declaration that is assigned to the device directly.',
  example: 'unassign_declaration: { declaration: Safari bookmarks }',
  ...declaration,
  send: (api, declarationId, deviceId) => api.customDeclarations.unassignFromDevice(declarationId, deviceId),
});
