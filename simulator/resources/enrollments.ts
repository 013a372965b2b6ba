import { noContent, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Enrollment, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { timestamp } from '../timestamps.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Enrollments. */
export function enrollmentRoutes(fleet: Fleet): Route[] {
  const { enrollments } = fleet;
  const show = (enrollment: Enrollment) => enrollmentRecord(fleet, enrollment);
  return [
    {
      method: 'GET',
      path: '/enrollments',
      handle: (call) => page(call, enrollments.values(), show),
    },
    {
      method: 'GET',
      path: '/enrollments/:id',
      handle: (call) => retrieve(call, enrollments, show),
    },
    {
      method: 'DELETE',
      path: '/enrollments/:id',
      handle: (call) =>
        withRecord(call, enrollments, ({ id }) => {
          enrollments.delete(id);
          writeAdminLog(fleet, 'enrollment.deleted', { enrollment_id: id });
          return noContent();
        }),
    },
    {
      method: 'POST',
      path: '/enrollments/:id/invitations',
      handle: (call) => withRecord(call, enrollments, (enrollment) => invite(fleet, call, enrollment)),
    },
  ];
}

const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const phone = /^\+?[\d\s().-]{7,20}$/;

function invite(fleet: Fleet, call: Call, enrollment: Enrollment): ApiResponse {
  const contact = textParam(call.params, 'contact')?.trim();
  if (contact === undefined) return unprocessable('contact is required');
  if (!email.test(contact) && !phone.test(contact)) {
    return unprocessable('contact must be an email address or a phone number');
  }
  if (enrollment.url === null) return unprocessable('an account driven enrollment takes no invitations');
  fleet.invitations.push({ enrollmentId: enrollment.id, contact, at: timestamp(fleet.clock.now()) });
  writeAdminLog(fleet, 'enrollment.invitation_sent', { enrollment_id: enrollment.id, contact });
  return ok({});
}

/** A one-time enrollment has its device and the group of the device. */
function enrollmentRecord({ devices }: Fleet, enrollment: Enrollment) {
  const { id, url, belongsTo, user_enrollment, welcome_screen, authentication } = enrollment;
  const groupId = belongsTo.type === 'device_group' ? belongsTo.id : devices.get(belongsTo.id)?.groupId;
  return {
    type: 'enrollment',
    id,
    attributes: { url, user_enrollment, welcome_screen, authentication },
    relationships: {
      device_group: { data: groupId === undefined ? null : { type: 'device_group', id: groupId } },
      ...(belongsTo.type === 'device' && { device: { data: belongsTo } }),
    },
  };
}
