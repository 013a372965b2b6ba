import { page } from '../api/paging.js';
import type { Route } from '../api/route.js';
import type { App, Fleet } from '../fleet/fleet.js';
import { retrieve } from './retrieve.js';

/** The calls of the reference's section Apps. */
export function appRoutes(fleet: Fleet): Route[] {
  return [
    { method: 'GET', path: '/apps', handle: (call) => page(call, fleet.apps.values(), appRecord) },
    { method: 'GET', path: '/apps/:id', handle: (call) => retrieve(call, fleet.apps, appRecord) },
  ];
}

function appRecord({ id, ...attributes }: App) {
  return { type: 'app', id, attributes };
}
