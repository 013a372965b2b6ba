import { z } from 'zod';
import type { Directory } from '../simplemdm/directory.js';
import type { Enrollment } from '../simplemdm/enrollments.js';
import { StepError, defineAction } from './action.js';
import { reference, resolveReference } from './reference.js';
import { textOrTemplate } from './text-or-template.js';

const CONTACT = 'expected an e-mail address, or a phone number (+ before a country code)';

/** An e-mail address or a phone number, as the API takes them. */
const contact = z.union([z.email(), z.string().regex(/^\+?[0-9][0-9 ().-]{4,24}$/)], CONTACT);

/** Sends an enrollment invitation (API reference, Enrollments, Send Invitation). */
export const sendInvitation = defineAction({
  about: 'Sends an enrollment invitation by mail or phone.',
  example: 'send_invitation: { enrollment: 5, contact: it@example.org }',
  args: z.strictObject({ enrollment: reference, contact: textOrTemplate(contact, CONTACT) }),
  refersTo: { enrollment: 'enrollment' },
  outputs: { enrollment_id: 'number', contact: 'string' },
  facts: [],
  perform: async ({ enrollment, contact: to }, { api, directory }) => {
    const names = await groupNames(directory);
    const { id, attributes } = await resolveReference(
      'enrollment',
      enrollment,
      directory.enrollments,
      (item) => enrollmentName(item, names),
    );
    if (attributes.url === null) {
      throw new StepError(
        'step/no-invitation',
        `enrollment ${id} is account-driven: it has no URL and takes no invitation; choose another enrollment`,
      );
    }
    await api.enrollments.sendInvitation(id, to);
    return { status: 'completed', output: { enrollment_id: id, contact: to } };
  },
});

/** An enrollment goes by its own name where it has one, else by the name of the device group it enrolls into. */
export function enrollmentName(
  enrollment: Enrollment,
  groupNames: ReadonlyMap<number, string>,
): string | undefined {
  const groupId = enrollment.relationships?.device_group?.data?.id;
  return enrollment.attributes.name ?? (groupId === undefined ? undefined : groupNames.get(groupId));
}

/** The names of the device groups by their ids. */
export async function groupNames(directory: Directory): Promise<Map<number, string>> {
  return new Map((await directory.deviceGroups.get()).map((group) => [group.id, group.attributes.name]));
}
