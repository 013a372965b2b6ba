import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchParsed, single } from './resource.js';

const account = z.looseObject({
  type: z.string(),
  attributes: z.looseObject({
    name: z.string(),
    apple_store_country_code: z.string().nullish(),
    subscription: z
      .looseObject({
        licenses: z.looseObject({ total: z.number().nullish(), available: z.number().nullish() }).nullish(),
      })
      .nullish(),
  }),
});

/** The account that the API key belongs to. */
export type AccountRecord = z.output<typeof account>;

/** API reference, section Account. */
export function createAccount(transport: Transport) {
  return {
    /** Show: `GET /account`. */
    show: async (): Promise<AccountRecord> =>
      (await fetchParsed(transport, { method: 'GET', route: '/account' }, single(account))).data,
  };
}
