import { ok } from '../api/answer.js';
import type { Route } from '../api/route.js';
import type { Fleet } from '../fleet/fleet.js';

/** The calls of the reference's section Push Certificate. */
export function pushCertificateRoutes(fleet: Fleet): Route[] {
  return [
    {
      method: 'GET',
      path: '/push_certificate',
      handle: () => ok({ data: { type: 'push_certificate', attributes: fleet.pushCertificate } }),
    },
  ];
}
