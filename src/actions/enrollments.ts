import { z } from 'zod';
import { StepError, defineAction } from './action.js';
import { textOrTemplate } from './argument-types.js';
import { enrollments } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

const EXPECTED_CONTACT = 'expected an e-mail address, or a phone number (with + before a country code)';

/** An e-mail address or a phone number, as the API accepts them. */
const contact = z.union([z.email(), z.string().regex(/^\+?[0-9][0-9 ().-]{4,24}$/)], EXPECTED_CONTACT);

/** API reference, Enrollments, Send Invitation. */
export const sendInvitation = defineAction({
  about: 'Sends an enrollment invitation by e-mail or text message.',
  example: 'send_invitation: { enrollment: 5, contact: it@example.org }',
  args: z.strictObject({ enrollment: reference, contact: textOrTemplate(contact, EXPECTED_CONTACT) }),
  refersTo: { enrollment: enrollments.kind },
  outputs: { enrollment_id: 'number', contact: 'string' },
  facts: [],
  perform: async ({ enrollment, contact: to }, { api, lists }) => {
    const { id, record } = await enrollments.find(enrollment, lists);
    if (record.attributes.url === null) {
      throw new StepError(
        'step/no-invitation',
        `enrollment ${id} is account-driven and does not take invitations: use another enrollment`,
      );
    }
    await api.enrollments.sendInvitation(id, to);
    return { status: 'completed', output: { enrollment_id: id, contact: to } };
  },
});
