import { z } from 'zod';
import { fetchAll, fetchRecord, listOf, send } from './resource.js';
import type { ListRequest } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, textField } from './field-types.js';

const customAttribute = z.looseObject({
  type: textField,
  /** The attribute's name. */
  id: z.string(),
  attributes: z.looseObject({ name: textField, default_value: textField }),
});

const attributeValue = z.looseObject({
  type: textField,
  /** The attribute's name. */
  id: z.string(),
  /** The value of an attribute marked `secret` is null unless `revealSecrets` is on. `source`: `account`, `group` or `device`. */
  attributes: z.looseObject({ value: textField, secret: flagField, source: textField }),
});

/** A custom attribute of the account. */
export type CustomAttribute = z.output<typeof customAttribute>;
/** The value of a custom attribute on a device or group. */
export type CustomAttributeValue = z.output<typeof attributeValue>;

/** A value for one of several devices. */
export interface ValueForDevice {
  readonly deviceId: number;
  readonly value: string;
}

const LIST = { route: '/custom_attributes' };

/** API reference, section Custom Attributes. */
export function createCustomAttributes(transport: Transport) {
  const routeTo = (name: string) => ({
    route: '/custom_attributes/{CUSTOM_ATTRIBUTE_ID}',
    params: { CUSTOM_ATTRIBUTE_ID: name },
  });
  const ofDevice = (deviceId: number) => ({
    route: '/devices/{DEVICE_ID}/custom_attribute_values',
    params: { DEVICE_ID: deviceId },
  });
  const ofGroup = (deviceGroupId: number) => ({
    route: '/device_groups/{DEVICE_GROUP_ID}/custom_attribute_values',
    params: { DEVICE_GROUP_ID: deviceGroupId },
  });
  const ofAssignmentGroup = (groupId: number) => ({
    route: '/assignment_groups/{ASSIGNMENT_GROUP_ID}/custom_attribute_values',
    params: { ASSIGNMENT_GROUP_ID: groupId },
  });

  async function listValues(request: ListRequest): Promise<CustomAttributeValue[]> {
    const found: CustomAttributeValue[] = [];
    for await (const value of fetchAll(transport, request, attributeValue)) found.push(value);
    return found;
  }

  function setValue(
    { route, params }: { route: string; params: Readonly<Record<string, number>> },
    name: string,
    value: string,
  ): Promise<CustomAttributeValue> {
    return fetchRecord(
      transport,
      {
        method: 'PUT',
        route: `${route}/{CUSTOM_ATTRIBUTE_NAME}`,
        params: { ...params, CUSTOM_ATTRIBUTE_NAME: name },
        body: { value },
      },
      attributeValue,
    );
  }

  return {
    /** List all: `GET /custom_attributes`. */
    ...listOf(transport, customAttribute, () => LIST),

    /** Retrieve one: `GET /custom_attributes/{CUSTOM_ATTRIBUTE_ID}`. */
    retrieve: (name: string): Promise<CustomAttribute> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(name) }, customAttribute),

    /**
     * Create: `POST /custom_attributes`.
     *
     * @throws SimpleMdmError 422 when the name exists or contains other characters than letters, digits and underscores.
     */
    create: ({
      name,
      defaultValue,
    }: {
      readonly name: string;
      readonly defaultValue?: string;
    }): Promise<CustomAttribute> =>
      fetchRecord(
        transport,
        { method: 'POST', ...LIST, body: { name, default_value: defaultValue } },
        customAttribute,
      ),

    /** Update: `PATCH /custom_attributes/{CUSTOM_ATTRIBUTE_ID}`. Returns 204 without a record. */
    update: (name: string, { defaultValue }: { readonly defaultValue?: string }): Promise<number> =>
      send(transport, {
        method: 'PATCH',
        ...routeTo(name),
        body: { default_value: defaultValue },
        idempotent: true,
      }),

    /** Delete: `DELETE /custom_attributes/{CUSTOM_ATTRIBUTE_ID}`, with all values. Takes effect some seconds after the response. */
    delete: (name: string): Promise<number> => send(transport, { method: 'DELETE', ...routeTo(name) }),

    /** Get values for device: `GET /devices/{DEVICE_ID}/custom_attribute_values`. */
    getValuesForDevice: (deviceId: number): Promise<CustomAttributeValue[]> => listValues(ofDevice(deviceId)),

    /**
     * Set value for device: `PUT /devices/{DEVICE_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}`.
     *
     * @throws SimpleMdmError 422 when the account has no such attribute.
     */
    setValueForDevice: (deviceId: number, name: string, value: string): Promise<CustomAttributeValue> =>
      setValue(ofDevice(deviceId), name, value),

    /** Get values for group: `GET /device_groups/{DEVICE_GROUP_ID}/custom_attribute_values`. */
    getValuesForGroup: (deviceGroupId: number): Promise<CustomAttributeValue[]> =>
      listValues(ofGroup(deviceGroupId)),

    /**
     * Set value for group: `PUT /device_groups/{DEVICE_GROUP_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}`.
     *
     * @throws SimpleMdmError 422 when the account has no such attribute.
     */
    setValueForGroup: (deviceGroupId: number, name: string, value: string): Promise<CustomAttributeValue> =>
      setValue(ofGroup(deviceGroupId), name, value),

    /** Set several values of a device: `PUT /devices/{DEVICE_ID}/custom_attribute_values` (API 1.51). */
    setValuesForDevice: (deviceId: number, values: Readonly<Record<string, string>>): Promise<number> =>
      send(transport, {
        method: 'PUT',
        ...ofDevice(deviceId),
        json: { data: Object.entries(values).map(([name, value]) => ({ name, value })) },
      }),

    /** Set an attribute of several devices: `PUT /custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}` (API 1.51). */
    setValueForDevices: (name: string, values: readonly ValueForDevice[]): Promise<number> =>
      send(transport, {
        method: 'PUT',
        route: '/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}',
        params: { CUSTOM_ATTRIBUTE_NAME: name },
        json: { data: values.map(({ deviceId, value }) => ({ device_id: deviceId, value })) },
      }),

    /** Get values for assignment group: `GET /assignment_groups/{ASSIGNMENT_GROUP_ID}/custom_attribute_values` (seen in use). */
    getValuesForAssignmentGroup: (groupId: number): Promise<CustomAttributeValue[]> =>
      listValues(ofAssignmentGroup(groupId)),

    /** Set value for assignment group: `PUT /assignment_groups/{ASSIGNMENT_GROUP_ID}/custom_attribute_values/{CUSTOM_ATTRIBUTE_NAME}` (seen in use). */
    setValueForAssignmentGroup: (
      groupId: number,
      name: string,
      value: string,
    ): Promise<CustomAttributeValue> => setValue(ofAssignmentGroup(groupId), name, value),
  };
}
