import { z } from 'zod';
import { alsoRecordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import type { AssignmentGroup } from '../simplemdm/assignment-groups.js';
import { deviceIdOf } from './event-device.js';
import type { Fact, FactContext } from './fact.js';

const deviceWithGroups = z
  .looseObject({
    group_id: z.int().nullish(),
    /** Null when the record does not list them, as in older accounts. */
    assignment_group_ids: z.array(z.int()).nullish(),
  })
  .nullable();

/**
 * The assignment groups of the event's device. A device is in a group by itself, or because its device group is.
 *
 * The record of the device says in which groups the device is by itself, dynamic ones included. Without that, the groups say which devices
 * they have.
 */
export const assignmentGroups: Fact = {
  shape: {
    list: {
      fields: {
        id: 'number',
        name: 'string',
        type: 'string',
        group_type: 'string',
        via_device_group: 'bool',
      },
    },
  },
  about:
    'the assignment groups of the device: `in_assignment_group("Kiosk apps")`, `assignment_groups.exists(g, g.group_type == "dynamic")`',
  cost: 3,
  fetch: async (context) => {
    const id = await deviceIdOf(context);
    const device = deviceWithGroups.parse(await context.fact('device'));
    if (id === undefined || device === null) return null;
    const { group_id: deviceGroupId, assignment_group_ids: ownIds } = device;
    const unread: AnswerWarning[] = [];
    const groups = await alsoRecordWarnings(unread, () => groupsFor(context, ownIds));
    const found = groups.flatMap((group): Record<string, unknown>[] => {
      const { attributes, relationships } = group;
      const isOwn = ownIds?.includes(group.id) ?? hasMember(relationships?.devices, id);
      const isViaGroup = hasMember(relationships?.device_groups, deviceGroupId ?? undefined);
      if (!isOwn && !isViaGroup) return [];
      const { name = null, type = null, group_type = null } = attributes;
      return [{ id: group.id, name, type, group_type, via_device_group: !isOwn }];
    });
    // A group whose record or members cannot be read may have the device: null stands for it.
    return unread.some(hidesMembership) ? [...found, null] : found;
  },
};

/** The groups of the account: as fresh as their use needs. */
async function groupsFor(
  { event, lists }: FactContext,
  ownIds: readonly number[] | null | undefined,
): Promise<readonly AssignmentGroup[]> {
  const list = lists.assignmentGroups;
  const cached = await list.get();
  const isCurrent =
    ownIds?.every((id) => cached.some((group) => group.id === id)) ??
    // Without the ids, only the list tells the members. A sweep over the fleet must not request it for each device.
    (event.originalSource ?? event.source) === 'schedule';
  return isCurrent ? cached : list.refresh();
}

function hidesMembership({ kind, field = '' }: AnswerWarning): boolean {
  return kind === 'unreadable_record' || /^relationships(?:$|\.device(?:s|_groups)\b)/.test(field);
}

type Links = NonNullable<AssignmentGroup['relationships']>['devices'];

function hasMember(links: Links, id: number | undefined): boolean {
  return id !== undefined && (links?.data ?? []).some((member) => member.id === id);
}
