import { z } from 'zod';
import { fetchRecord, linkTo, listOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, textField } from './field-types.js';

const enrollment = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    /** Null for account-driven enrollments, which do not take invitations. */
    url: textField,
    name: textField,
    user_enrollment: flagField,
    welcome_screen: flagField,
    authentication: flagField,
  }),
  /** An enrollment with a device is for that device, once. */
  relationships: z.looseObject({ device_group: linkTo, device: linkTo }).nullish(),
});

/** A way for devices to enroll. */
export type Enrollment = z.output<typeof enrollment>;

const LIST = { route: '/enrollments' };

/** API reference, section Enrollments. */
export function createEnrollments(transport: Transport) {
  const routeTo = (enrollmentId: number, rest = '') => ({
    route: `/enrollments/{ENROLLMENT_ID}${rest}`,
    params: { ENROLLMENT_ID: enrollmentId },
  });
  return {
    /** List all: `GET /enrollments`. */
    ...listOf(transport, enrollment, () => LIST),

    /** Show: `GET /enrollments/{ENROLLMENT_ID}`. */
    show: (enrollmentId: number): Promise<Enrollment> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(enrollmentId) }, enrollment),

    /**
     * Send invitation: `POST /enrollments/{ENROLLMENT_ID}/invitations`. Not idempotent: every call sends an invitation.
     *
     * @param contact - An email address, or a phone number with `+` and a country code.
     * @returns The status, 200.
     * @throws SimpleMdmError 422 when the contact is invalid or the enrollment does not take invitations.
     */
    sendInvitation: (enrollmentId: number, contact: string): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(enrollmentId, '/invitations'), body: { contact } }),

    /** Delete: `DELETE /enrollments/{ENROLLMENT_ID}` (the reference misprints it as `GET /enrollments`). */
    delete: (enrollmentId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(enrollmentId) }),
  };
}
