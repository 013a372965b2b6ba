import { created, noContent, notFound, ok, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { CustomAttribute, Fleet } from '../fleet/fleet.js';
import { writeAdminLog } from '../fleet/write-log.js';
import { deleteAttributeLater } from '../scenarios/delete-attribute.js';

/** The calls of the reference's section Custom Attributes about definitions. The id of an attribute is its name. */
export function customAttributeRoutes(fleet: Fleet): Route[] {
  const { customAttributes } = fleet;
  const withAttribute = (call: Call, handle: (attribute: CustomAttribute) => ApiResponse): ApiResponse => {
    const attribute = customAttributes.get(call.path['id'] ?? '');
    return attribute === undefined ? notFound() : handle(attribute);
  };
  return [
    {
      method: 'GET',
      path: '/custom_attributes',
      handle: (call) => page(call, customAttributes, customAttributeRecord),
    },
    { method: 'POST', path: '/custom_attributes', handle: (call) => createAttribute(fleet, call) },
    {
      method: 'GET',
      path: '/custom_attributes/:id',
      handle: (call) => withAttribute(call, (attribute) => ok({ data: customAttributeRecord(attribute) })),
    },
    {
      method: 'PATCH',
      path: '/custom_attributes/:id',
      handle: (call) =>
        withAttribute(call, (attribute) => {
          if ('default_value' in call.params)
            attribute.default_value = textParam(call.params, 'default_value') ?? null;
          writeAdminLog(fleet, 'custom_attribute.updated', { name: attribute.id });
          return noContent();
        }),
    },
    {
      method: 'DELETE',
      path: '/custom_attributes/:id',
      handle: (call) =>
        withAttribute(call, ({ id }) => {
          deleteAttributeLater(fleet, id);
          return noContent();
        }),
    },
  ];
}

function createAttribute(fleet: Fleet, call: Call): ApiResponse {
  const { customAttributes } = fleet;
  const name = textParam(call.params, 'name');
  if (name === undefined) return unprocessable('name is required');
  if (!/^[A-Za-z0-9_]+$/.test(name)) {
    return unprocessable('name may contain alphanumeric characters and underscores only');
  }
  if (customAttributes.get(name) !== undefined) return unprocessable('name has already been taken');
  const attribute = {
    id: name,
    default_value: textParam(call.params, 'default_value') ?? null,
    secret: false,
  };
  customAttributes.add(attribute);
  writeAdminLog(fleet, 'custom_attribute.created', { name });
  return created({ data: customAttributeRecord(attribute) });
}

function customAttributeRecord({ id, default_value }: CustomAttribute) {
  return { type: 'custom_attribute', id, attributes: { name: id, default_value } };
}
