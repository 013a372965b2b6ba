import { z } from 'zod';
import { fetchAll, fetchPage, fetchRecord, send } from './resource.js';
import type { Page, PageOptions } from './resource.js';
import type { Transport } from './transport.js';
import { text } from './field-types.js';

const managedAppConfig = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({ key: text, value: text, value_type: text }),
});

/** One key of an app's managed configuration. */
export type ManagedAppConfig = z.output<typeof managedAppConfig>;

/** How a value is written. */
export type ManagedAppConfigValueType =
  /** `0` or `1`. */
  | 'boolean'
  /** A time with its zone, such as `2017-01-01T12:31:15-07:00`. */
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

/** A key to set. */
export interface NewManagedAppConfig {
  readonly key: string;
  readonly value?: string;
  readonly valueType?: ManagedAppConfigValueType;
}

/** API reference, section Managed App Configs. */
export function createManagedAppConfigs(transport: Transport) {
  const below = (appId: number, rest = '', params: Readonly<Record<string, number>> = {}) => ({
    route: `/apps/{APP_ID}/managed_configs${rest}`,
    params: { APP_ID: appId, ...params },
  });
  return {
    /** Get: `GET /apps/{APP_ID}/managed_configs`. */
    list: (appId: number): AsyncGenerator<ManagedAppConfig> =>
      fetchAll(transport, below(appId), managedAppConfig),

    /** One page of {@link list}. */
    listPage: (appId: number, page?: PageOptions): Promise<Page<ManagedAppConfig>> =>
      fetchPage(transport, below(appId), managedAppConfig, page),

    /**
     * Create: `POST /apps/{APP_ID}/managed_configs`. Devices have it after {@link pushUpdates}.
     *
     * @throws SimpleMdmError 422 when the value is not of its type.
     */
    create: (appId: number, { key, value, valueType }: NewManagedAppConfig): Promise<ManagedAppConfig> =>
      fetchRecord(
        transport,
        { method: 'POST', ...below(appId), body: { key, value, value_type: valueType } },
        managedAppConfig,
      ),

    /** Delete: `DELETE /apps/{APP_ID}/managed_configs/{MANAGED_CONFIG_ID}`. */
    delete: (appId: number, managedConfigId: number): Promise<number> =>
      send(transport, {
        method: 'DELETE',
        ...below(appId, '/{MANAGED_CONFIG_ID}', { MANAGED_CONFIG_ID: managedConfigId }),
      }),

    /** Push Updates: `POST /apps/{APP_ID}/managed_configs/push`, to all devices; what is changed by the API waits for it. */
    pushUpdates: (appId: number): Promise<number> =>
      send(transport, { method: 'POST', ...below(appId, '/push'), idempotent: true }),
  };
}
