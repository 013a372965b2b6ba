import { z } from 'zod';
import { changeAssignment, fetchRecord, linksTo, listOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

const assignmentGroup = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    name: textField,
    auto_deploy: flagField,
    priority: numberField,
    type: textField,
    group_type: textField,
    install_type: textField,
    app_track_location: flagField,
  }),
  relationships: z
    .looseObject({
      /** How each app is installed, as sent with its assignment. */
      apps: z
        .looseObject({
          data: z
            .array(
              z.looseObject({
                type: textField,
                id: z.int(),
                deployment_type: textField,
                install_type: textField,
              }),
            )
            .nullish(),
        })
        .nullish(),
      device_groups: linksTo,
      devices: linksTo,
      profiles: linksTo,
      media: linksTo,
    })
    .nullish(),
});

/** A group that assigns apps and profiles to device groups and devices. */
export type AssignmentGroup = z.output<typeof assignmentGroup>;

/** The changes of an assignment group. */
export interface AssignmentGroupChanges {
  readonly name?: string;
  /** Whether apps are pushed when a device joins; true by default at creation. */
  readonly autoDeploy?: boolean;
  readonly priority?: number;
  readonly installType?: 'managed' | 'self_serve' | 'default_installs' | 'managed_updates';
  readonly appTrackLocation?: boolean;
}

/** A new assignment group. */
export interface NewAssignmentGroup extends AssignmentGroupChanges {
  readonly name: string;
  readonly type?: 'standard' | 'munki';
}

/** How an app of an assignment group is installed (seen in use). */
export interface AppAssignment {
  readonly deploymentType?: 'standard' | 'munki';
  /** For Munki only. */
  readonly installType?: 'managed' | 'self_serve' | 'default_installs' | 'managed_updates';
}

const LIST = { route: '/assignment_groups' };

/** API reference, section Assignment Groups. */
export function createAssignmentGroups(transport: Transport) {
  const routeTo = (groupId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/assignment_groups/{ASSIGNMENT_GROUP_ID}${rest}`,
    params: { ASSIGNMENT_GROUP_ID: groupId, ...params },
  });
  const appOf = (groupId: number, appId: number) => routeTo(groupId, '/apps/{APP_ID}', { APP_ID: appId });
  const deviceGroupOf = (groupId: number, deviceGroupId: number) =>
    routeTo(groupId, '/device_groups/{DEVICE_GROUP_ID}', { DEVICE_GROUP_ID: deviceGroupId });
  const deviceOf = (groupId: number, deviceId: number) =>
    routeTo(groupId, '/devices/{DEVICE_ID}', { DEVICE_ID: deviceId });
  const profileOf = (groupId: number, profileId: number) =>
    routeTo(groupId, '/profiles/{PROFILE_ID}', { PROFILE_ID: profileId });
  return {
    /** List all: `GET /assignment_groups`. */
    ...listOf(transport, assignmentGroup, () => LIST),

    /** Retrieve one: `GET /assignment_groups/{ASSIGNMENT_GROUP_ID}`. */
    retrieve: (groupId: number): Promise<AssignmentGroup> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(groupId) }, assignmentGroup),

    /** Create: `POST /assignment_groups`. */
    create: ({ type, ...rest }: NewAssignmentGroup): Promise<AssignmentGroup> =>
      fetchRecord(transport, { method: 'POST', ...LIST, body: { ...fieldsOf(rest), type } }, assignmentGroup),

    /** Update: `PATCH /assignment_groups/{ASSIGNMENT_GROUP_ID}`. Returns 204 without a record. */
    update: (groupId: number, changes: AssignmentGroupChanges): Promise<number> =>
      send(transport, { method: 'PATCH', ...routeTo(groupId), body: fieldsOf(changes), idempotent: true }),

    /** Delete: `DELETE /assignment_groups/{ASSIGNMENT_GROUP_ID}`. */
    delete: (groupId: number): Promise<number> => send(transport, { method: 'DELETE', ...routeTo(groupId) }),

    /** Assign app: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/apps/{APP_ID}`. */
    assignApp: (
      groupId: number,
      appId: number,
      { deploymentType, installType }: AppAssignment = {},
    ): Promise<number> =>
      changeAssignment(transport, {
        method: 'POST',
        ...appOf(groupId, appId),
        body: { deployment_type: deploymentType, install_type: installType },
      }),

    /** Unassign app: `DELETE /assignment_groups/{ASSIGNMENT_GROUP_ID}/apps/{APP_ID}`. */
    unassignApp: (groupId: number, appId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...appOf(groupId, appId) }),

    /** Assign device group: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/device_groups/{DEVICE_GROUP_ID}`. */
    assignDeviceGroup: (groupId: number, deviceGroupId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...deviceGroupOf(groupId, deviceGroupId) }),

    /** Unassign device group: `DELETE /assignment_groups/{ASSIGNMENT_GROUP_ID}/device_groups/{DEVICE_GROUP_ID}`. */
    unassignDeviceGroup: (groupId: number, deviceGroupId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...deviceGroupOf(groupId, deviceGroupId) }),

    /** Assign device: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/devices/{DEVICE_ID}`. */
    assignDevice: (groupId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...deviceOf(groupId, deviceId) }),

    /** Unassign device: `DELETE /assignment_groups/{ASSIGNMENT_GROUP_ID}/devices/{DEVICE_ID}`. */
    unassignDevice: (groupId: number, deviceId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...deviceOf(groupId, deviceId) }),

    /** Push apps: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/push_apps`. Asynchronous. */
    pushApps: (groupId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(groupId, '/push_apps'), idempotent: true }),

    /** Update apps: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/update_apps`. Asynchronous. */
    updateApps: (groupId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(groupId, '/update_apps'), idempotent: true }),

    /** Assign profile: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/profiles/{PROFILE_ID}` (API 1.51). */
    assignProfile: (groupId: number, profileId: number): Promise<number> =>
      changeAssignment(transport, { method: 'POST', ...profileOf(groupId, profileId) }),

    /** Unassign profile: `DELETE /assignment_groups/{ASSIGNMENT_GROUP_ID}/profiles/{PROFILE_ID}` (API 1.51). */
    unassignProfile: (groupId: number, profileId: number): Promise<number> =>
      changeAssignment(transport, { method: 'DELETE', ...profileOf(groupId, profileId) }),

    /**
     * Sync profiles: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/sync_profiles` (API 1.51).
     *
     * @returns The status, 204.
     * @throws SimpleMdmError 429 when called more than once in 30 seconds.
     */
    syncProfiles: (groupId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(groupId, '/sync_profiles'), idempotent: true }),

    /** Clone: `POST /assignment_groups/{ASSIGNMENT_GROUP_ID}/clone` (API 1.51), with apps, profiles and devices. Returns 204 without the new group. */
    clone: (groupId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(groupId, '/clone') }),
  };
}

function fieldsOf({ name, autoDeploy, priority, installType, appTrackLocation }: AssignmentGroupChanges) {
  return {
    name,
    auto_deploy: autoDeploy,
    priority,
    install_type: installType,
    app_track_location: appTrackLocation,
  };
}
