import { z } from 'zod';
import { fetchRecord } from './resource.js';
import type { Transport } from './transport.js';
import { numberField, textField } from './field-types.js';

const account = z.looseObject({
  type: textField,
  attributes: z.looseObject({
    name: textField,
    apple_store_country_code: textField,
    /** Only for accounts on a manual billing plan. */
    subscription: z
      .looseObject({ licenses: z.looseObject({ total: numberField, available: numberField }).nullish() })
      .nullish(),
  }),
});

/** The account of the API key. */
export type AccountRecord = z.output<typeof account>;

/** The changes of an account. */
export interface AccountChanges {
  readonly name?: string;
  /** The country code of the App Store, such as `AU`. */
  readonly appleStoreCountryCode?: string;
}

/** API reference, section Account. */
export function createAccount(transport: Transport) {
  return {
    /** Show: `GET /account`. */
    show: (): Promise<AccountRecord> => fetchRecord(transport, { method: 'GET', route: '/account' }, account),

    /** Update: `PATCH /account`. */
    update: ({ name, appleStoreCountryCode }: AccountChanges): Promise<AccountRecord> =>
      fetchRecord(
        transport,
        {
          method: 'PATCH',
          route: '/account',
          body: { name, apple_store_country_code: appleStoreCountryCode },
          idempotent: true,
        },
        account,
      ),
  };
}
