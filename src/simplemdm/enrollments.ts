import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll, linkTo } from './resource.js';

const enrollment = z.looseObject({
  type: z.string(),
  id: z.int(),
  /** `url` is null for account-driven enrollments, which take no invitation. */
  attributes: z.looseObject({ url: z.string().nullish(), name: z.string().nullish() }),
  relationships: z.looseObject({ device_group: linkTo, device: linkTo }).optional(),
});

/** A way for devices to enroll. */
export type Enrollment = z.output<typeof enrollment>;

/** API reference, section Enrollments. */
export function createEnrollments(transport: Transport) {
  return {
    /** List all: `GET /enrollments`. */
    list: (): AsyncGenerator<Enrollment> => fetchAll(transport, { route: '/enrollments' }, enrollment),

    /**
     * Send invitation: `POST /enrollments/{ENROLLMENT_ID}/invitations`.
     *
     * @param contact - An e-mail address, or a phone number with `+` before a country code.
     * @returns The status, 200.
     */
    sendInvitation: async (enrollmentId: number, contact: string): Promise<number> =>
      (
        await transport({
          method: 'POST',
          route: '/enrollments/{ENROLLMENT_ID}/invitations',
          params: { ENROLLMENT_ID: enrollmentId },
          body: { contact },
        })
      ).status,
  };
}
