/* global AbortSignal, fetch, sessionStorage */

const TOKEN_KEY = 'mdm-reflex admin token';
/** Longer than the service waits for Redis. */
const TIMEOUT_MS = 10_000;

/** A problem response of the service (RFC 9457), or status 0 when there was no response. */
export class ApiProblem extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   * @param {string} [code] - The error code, which the message ends with.
   */
  constructor(status, detail, code) {
    super(code === undefined ? detail : `${detail} [${code}]`);
    this.status = status;
    this.code = code;
  }
}

/** The admin token of this tab. If the browser refuses to store the token, it lasts until the page is reloaded. */
export const adminToken = {
  /** @type {string | undefined} */
  value: ifAllowed(() => sessionStorage.getItem(TOKEN_KEY)) ?? undefined,

  /** @param {string} token */
  set(token) {
    adminToken.value = token;
    ifAllowed(() => sessionStorage.setItem(TOKEN_KEY, token));
  },

  clear() {
    adminToken.value = undefined;
    ifAllowed(() => sessionStorage.removeItem(TOKEN_KEY));
  },
};

/**
 * @template T
 * @param {() => T} accessStorage
 */
function ifAllowed(accessStorage) {
  try {
    return accessStorage();
  } catch {
    return undefined;
  }
}

/**
 * Calls the JSON API with the admin token.
 *
 * @param {string} path - Relative to the page, so that the page works behind a path prefix.
 * @param {{ method?: string, signal?: AbortSignal, token?: string | undefined }} [options] - `token` replaces the token of the tab.
 * @returns {Promise<unknown>}
 * @throws {ApiProblem}
 */
export async function callApi(path, { method = 'GET', signal, token = adminToken.value } = {}) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await send(path, { method, headers, ...(signal && { signal }) });
  const body = await bodyOf(response);
  if (response.ok) return body;
  const detail = memberOf(body, 'detail') ?? `the service returned ${response.status}`;
  throw new ApiProblem(response.status, detail, memberOf(body, 'code'));
}

/**
 * Fetches the readiness of the service. Needs no token; a 503 has a body too.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<unknown>}
 * @throws {ApiProblem} when there is no response.
 */
export async function fetchReadiness(signal) {
  return bodyOf(await send('readyz', { signal }));
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function send(path, options) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(path, {
      ...options,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new ApiProblem(
      0,
      `the service does not respond (${error instanceof Error ? error.message : 'unknown reason'})`,
    );
  }
}

/** @param {Response} response */
async function bodyOf(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiProblem(
      response.status,
      `the response with status ${response.status} is not from mdm-reflex; check the proxy in front of it`,
    );
  }
}

/**
 * @param {unknown} body
 * @param {'code' | 'detail'} name
 */
function memberOf(body, name) {
  if (typeof body !== 'object' || body === null) return undefined;
  const value = /** @type {Readonly<Record<string, unknown>>} */ (body)[name];
  return typeof value === 'string' ? value : undefined;
}
