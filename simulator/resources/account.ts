import { ok } from '../api/answer.js';
import type { Route } from '../api/route.js';
import type { Fleet } from '../fleet/fleet.js';

/** The calls of the reference's section Account. */
export function accountRoutes(fleet: Fleet): Route[] {
  return [{ method: 'GET', path: '/account', handle: () => ok({ data: accountRecord(fleet) }) }];
}

function accountRecord({ account, devices }: Fleet) {
  const { name, apple_store_country_code, licenses } = account;
  const enrolled = [...devices.values()].filter(({ attributes }) => attributes.status === 'enrolled').length;
  return {
    type: 'account',
    attributes: {
      name,
      apple_store_country_code,
      subscription: { licenses: { total: licenses, available: licenses - enrolled } },
    },
  };
}
