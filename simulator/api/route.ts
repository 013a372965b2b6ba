import type { ApiResponse } from './response.js';
import type { Params } from './params.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A call, authenticated and read. */
export interface Call {
  /** The values of the `:names` in the route's path. */
  path: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  /** Query, form, multipart and JSON parameters together: the API accepts each. */
  params: Params;
}

/** One documented call. The handler returns its response, so that a fault can replace the response after the call took effect. */
export interface Route {
  method: Method;
  /** Below `/api/v1`, for example `/devices/:id`. */
  path: string;
  handle(call: Call): ApiResponse;
}

/** A number in the path of a call. `undefined` for other text: no record has such an id. */
export function numberInPath(call: Call, name: string): number | undefined {
  const text = call.path[name] ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Methods that the API treats alike: HEAD responds like GET, and PUT and PATCH are the same. */
const alike: Readonly<Record<string, Method>> = { HEAD: 'GET', PUT: 'PATCH', PATCH: 'PUT' };

/** Finds the route for a call as the API does: under its method, else under the method that is treated alike. */
export function matchCall(
  routes: readonly Route[],
  method: string,
  path: string,
): ReturnType<typeof matchRoute<Route>> {
  const other = alike[method];
  return matchRoute(routes, method, path) ?? (other && matchRoute(routes, other, path));
}

/** Finds the route for a method and a path, with the values of its `:names`. Ignores a trailing slash. */
export function matchRoute<R extends { method: string; path: string }>(
  routes: readonly R[],
  method: string,
  path: string,
): { route: R; path: Record<string, string> } | undefined {
  const requested = segments(path);
  for (const route of routes) {
    if (route.method !== method) continue;
    const values = matchSegments(segments(route.path), requested);
    if (values !== undefined) return { route, path: values };
  }
  return undefined;
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function matchSegments(
  pattern: readonly string[],
  requested: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== requested.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const found = requested[index] ?? '';
    if (expected.startsWith(':')) values[expected.slice(1)] = decode(found);
    else if (expected !== found) return undefined;
  }
  return values;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
