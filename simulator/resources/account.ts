import { ok, unprocessable, type ApiResponse } from '../api/response.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';

/** The calls of the reference's section Account. */
export function accountRoutes(fleet: Fleet): Route[] {
  return [
    { method: 'GET', path: '/account', handle: () => ok({ data: accountRecord(fleet) }) },
    { method: 'PATCH', path: '/account', handle: (call) => updateAccount(fleet, call) },
  ];
}

function accountRecord({ account, devices }: Fleet) {
  const { name, apple_store_country_code, licenses } = account;
  return {
    type: 'account',
    attributes: {
      name,
      apple_store_country_code,
      subscription: { licenses: { total: licenses, available: licenses - devices.enrolled() } },
    },
  };
}

/** The response has no subscription, as in the reference. */
function updateAccount(fleet: Fleet, call: Call): ApiResponse {
  const { account } = fleet;
  const country = textParam(call.params, 'apple_store_country_code');
  if (country !== undefined && !/^[A-Za-z]{2}$/.test(country)) {
    return unprocessable('apple_store_country_code must be a country of two letters');
  }
  account.name = textParam(call.params, 'name') ?? account.name;
  account.apple_store_country_code = country?.toUpperCase() ?? account.apple_store_country_code;
  writeAdminLog(fleet, 'account.updated', {});
  const { name, apple_store_country_code } = account;
  return ok({ data: { type: 'account', attributes: { name, apple_store_country_code } } });
}
