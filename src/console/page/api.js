/* global AbortSignal, fetch, sessionStorage */

const TOKEN_KEY = 'mdm-reflex admin token';
/** Longer than the service itself waits for Redis. */
const TIMEOUT_MS = 10_000;

/** The service answered with a problem (RFC 9457), or (status 0) not at all. */
export class ApiProblem extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The admin token of this tab. A browser that refuses to store it keeps it until the page is loaded again. */
export const adminToken = {
  /** @type {string | undefined} */
  value: stored(() => sessionStorage.getItem(TOKEN_KEY)) ?? undefined,

  /** @param {string} token */
  keep(token) {
    adminToken.value = token;
    stored(() => sessionStorage.setItem(TOKEN_KEY, token));
  },

  forget() {
    adminToken.value = undefined;
    stored(() => sessionStorage.removeItem(TOKEN_KEY));
  },
};

/**
 * @template T
 * @param {() => T} access
 */
function stored(access) {
  try {
    return access();
  } catch {
    return undefined;
  }
}

/**
 * Asks the JSON API with the admin token.
 *
 * @param {string} path - Relative to the page, so that it works behind a prefix.
 * @param {{ method?: string, signal?: AbortSignal, token?: string | undefined }} [options] - `token`: another one than that of the tab.
 * @returns {Promise<unknown>}
 * @throws {ApiProblem}
 */
export async function askApi(path, { method = 'GET', signal, token = adminToken.value } = {}) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await send(path, { method, headers, ...(signal && { signal }) });
  const body = await bodyOf(response);
  if (response.ok) return body;
  throw new ApiProblem(response.status, detailOf(body) ?? `the service answered ${response.status}`);
}

/**
 * Asks how the service is; no token is needed, and 503 is an answer like another.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<unknown>}
 * @throws {ApiProblem} when it does not answer.
 */
export async function askReadiness(signal) {
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
      `the service does not answer (${error instanceof Error ? error.message : 'no reason given'})`,
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
      `something that is not mdm-reflex answered ${response.status}; is a proxy in the way?`,
    );
  }
}

/** @param {unknown} body */
function detailOf(body) {
  const known = typeof body === 'object' && body !== null && 'detail' in body;
  return known && typeof body.detail === 'string' ? body.detail : undefined;
}
