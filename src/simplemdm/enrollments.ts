import { z } from 'zod';
import { fetchAll, fetchPage, fetchRecord, linkTo, send } from './resource.js';
import type { Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { flag, text } from './field-types.js';

const enrollment = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    /** Null for account-driven enrollments, which take no invitation. */
    url: text,
    name: text,
    user_enrollment: flag,
    welcome_screen: flag,
    authentication: flag,
  }),
  /** One with a device is for that device, once. */
  relationships: z.looseObject({ device_group: linkTo, device: linkTo }).nullish(),
});

/** A way for devices to enroll. */
export type Enrollment = z.output<typeof enrollment>;

const LIST = { route: '/enrollments' };

/** API reference, section Enrollments. */
export function createEnrollments(transport: Transport) {
  const below = (enrollmentId: number, rest = '') => ({
    route: `/enrollments/{ENROLLMENT_ID}${rest}`,
    params: { ENROLLMENT_ID: enrollmentId },
  });
  return {
    /** List all: `GET /enrollments`. */
    list: (): AsyncGenerator<Enrollment> => fetchAll(transport, LIST, enrollment),

    /** One page of {@link list}. */
    listPage: (page?: PageOptions): Promise<Page<Enrollment>> => fetchPage(transport, LIST, enrollment, page),

    /** Show: `GET /enrollments/{ENROLLMENT_ID}`. */
    show: (enrollmentId: number): Promise<Enrollment> =>
      fetchRecord(transport, { method: 'GET', ...below(enrollmentId) }, enrollment),

    /**
     * Send invitation: `POST /enrollments/{ENROLLMENT_ID}/invitations`. Not idempotent: every call sends one.
     *
     * @param contact - An e-mail address, or a phone number with `+` before a country code.
     * @returns The status, 200.
     * @throws SimpleMdmError 422 when the contact is neither, or the enrollment takes no invitation.
     */
    sendInvitation: (enrollmentId: number, contact: string): Promise<number> =>
      send(transport, { method: 'POST', ...below(enrollmentId, '/invitations'), body: { contact } }),

    /** Delete: `DELETE /enrollments/{ENROLLMENT_ID}` (the reference misprints it as `GET /enrollments`). */
    delete: (enrollmentId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...below(enrollmentId) }),
  };
}
