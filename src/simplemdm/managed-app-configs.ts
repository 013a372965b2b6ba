import { z } from 'zod';
import { fetchRecord, nestedListOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { textField } from './field-types.js';

const managedAppConfig = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({ key: textField, value: textField, value_type: textField }),
});

/** One key of the managed configuration of an app. */
export type ManagedAppConfig = z.output<typeof managedAppConfig>;

/** The type of a value. */
export type ManagedAppConfigValueType =
  /** `0` or `1`. */
  | 'boolean'
  /** A time with an offset, such as `2017-01-01T12:31:15-07:00`. */
  | 'date'
  | 'float'
  /** `0.123,923.1,42`. */
  | 'float array'
  | 'integer'
  /** `1,452,-129`. */
  | 'integer array'
  | 'string'
  /** `"First string","Second string"`. */
  | 'string array';

/** A new key. */
export interface NewManagedAppConfig {
  readonly key: string;
  readonly value?: string;
  readonly valueType?: ManagedAppConfigValueType;
}

/** API reference, section Managed App Configs. */
export function createManagedAppConfigs(transport: Transport) {
  const routeTo = (appId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/apps/{APP_ID}/managed_configs${rest}`,
    params: { APP_ID: appId, ...params },
  });
  return {
    /** Get: `GET /apps/{APP_ID}/managed_configs`. */
    ...nestedListOf(transport, managedAppConfig, (appId) => routeTo(appId)),

    /**
     * Create: `POST /apps/{APP_ID}/managed_configs`. Devices receive the key after {@link pushUpdates}.
     *
     * @throws SimpleMdmError 422 when the value does not match its type.
     */
    create: (appId: number, { key, value, valueType }: NewManagedAppConfig): Promise<ManagedAppConfig> =>
      fetchRecord(
        transport,
        { method: 'POST', ...routeTo(appId), body: { key, value, value_type: valueType } },
        managedAppConfig,
      ),

    /** Delete: `DELETE /apps/{APP_ID}/managed_configs/{MANAGED_CONFIG_ID}`. */
    delete: (appId: number, managedConfigId: number): Promise<number> =>
      send(transport, {
        method: 'DELETE',
        ...routeTo(appId, '/{MANAGED_CONFIG_ID}', { MANAGED_CONFIG_ID: managedConfigId }),
      }),

    /** Push Updates: `POST /apps/{APP_ID}/managed_configs/push`: sends the changes made through the API to all devices. */
    pushUpdates: (appId: number): Promise<number> =>
      send(transport, { method: 'POST', ...routeTo(appId, '/push'), idempotent: true }),
  };
}
