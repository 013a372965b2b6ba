import { notFound, ok } from '../api/answer.js';
import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { CustomAttribute, Fleet } from '../fleet/fleet.js';

/** The calls of the reference's section Custom Attributes about their definitions. An attribute's id is its name. */
export function customAttributeRoutes(fleet: Fleet): Route[] {
  return [
    {
      method: 'GET',
      path: '/custom_attributes',
      handle: (call) => page(call, fleet.customAttributes.values(), customAttributeRecord),
    },
    {
      method: 'GET',
      path: '/custom_attributes/:id',
      handle: (call) => {
        const attribute = fleet.customAttributes.get(call.path['id'] ?? '');
        return attribute === undefined ? notFound() : ok({ data: customAttributeRecord(attribute) });
      },
    },
  ];
}

function customAttributeRecord({ id, default_value }: CustomAttribute) {
  return { type: 'custom_attribute', id, attributes: { name: id, default_value } };
}
