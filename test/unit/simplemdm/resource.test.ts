import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { ErrorCode } from '../../../src/errors/registry.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Failure, FailureKind } from '../../../src/simplemdm/errors.js';
import type { ApiRequest } from '../../../src/simplemdm/request.js';
import { fetchAll, fetchPage, fetchRecord, listOf, nestedListOf } from '../../../src/simplemdm/resource.js';
import type { Transport } from '../../../src/simplemdm/transport.js';

const record = z.looseObject({ id: z.int(), name: z.string().optional() });

/** A transport with canned response bodies that records its requests. */
function respondingWith(...bodies: unknown[]): { transport: Transport; requests: ApiRequest[] } {
  const requests: ApiRequest[] = [];
  const transport: Transport = {
    call: (request) => {
      const body = bodies[requests.length];
      requests.push(request);
      return Promise.resolve({ account: 'default', path: request.route, status: 200, body });
    },
    download: () => Promise.reject(new Error('nothing is downloaded here')),
  };
  return { transport, requests };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('fetchAll', () => {
  test('fetches each page after the last id of the previous page', async () => {
    const { transport, requests } = respondingWith(
      { data: [{ id: 1 }, { id: 2 }], has_more: true },
      { data: [{ id: 3 }], has_more: true },
      { data: [{ id: 4 }], has_more: false },
    );
    const found = await all(fetchAll(transport, { route: '/devices', query: { search: 'x' } }, record));
    expect(found.map((item) => item.id)).toEqual([1, 2, 3, 4]);
    expect(requests.map((request) => request.query)).toEqual([
      { search: 'x', limit: 100, starting_after: undefined },
      { search: 'x', limit: 100, starting_after: 2 },
      { search: 'x', limit: 100, starting_after: 3 },
    ]);
    expect(requests.every((request) => request.method === 'GET')).toBe(true);
  });

  test('ends when has_more is missing', async () => {
    const { transport, requests } = respondingWith({ data: [{ id: 1 }] });
    await all(fetchAll(transport, { route: '/devices' }, record));
    expect(requests).toHaveLength(1);
  });

  test.each<[string, unknown[], number]>([
    ['a page is empty but has_more is true', [{ data: [], has_more: true }], 1],
    [
      'a page repeats the one before',
      [
        { data: [{ id: 1 }], has_more: true },
        { data: [{ id: 1 }], has_more: true },
        { data: [{ id: 1 }], has_more: true },
      ],
      2,
    ],
  ])('fails when %s: what is missing is not known', async (_when, bodies, calls) => {
    const { transport, requests } = respondingWith(...bodies);
    await expect(all(fetchAll(transport, { route: '/devices' }, record))).rejects.toMatchObject({
      code: 'api/incomplete-list',
    });
    expect(requests).toHaveLength(calls);
  });

  test('does not fetch a page before it is read', async () => {
    const { transport, requests } = respondingWith({ data: [{ id: 1 }, { id: 2 }], has_more: true });
    for await (const item of fetchAll(transport, { route: '/devices' }, record)) {
      if (item.id === 2) break;
    }
    expect(requests).toHaveLength(1);
  });
});

test('listOf passes its options to the request of both methods', async () => {
  const { transport, requests } = respondingWith({ data: [{ id: 1 }] }, { data: [{ id: 2 }] });
  const { list, listPage } = listOf(transport, record, (options: { search?: string } = {}) => ({
    route: '/devices',
    query: { search: options.search },
  }));
  expect(await all(list({ search: 'x' }))).toEqual([{ id: 1 }]);
  expect(await listPage({ limit: 5 }, { search: 'y' })).toEqual({ data: [{ id: 2 }], hasMore: false });
  expect(requests).toMatchObject([
    { method: 'GET', route: '/devices', query: { search: 'x', limit: 100 } },
    { method: 'GET', route: '/devices', query: { search: 'y', limit: 5 } },
  ]);
});

test('nestedListOf passes the id of the parent to the request of both methods', async () => {
  const { transport, requests } = respondingWith({ data: [{ id: 1 }] }, { data: [{ id: 2 }] });
  const { list, listPage } = nestedListOf(transport, record, (appId) => ({
    route: '/apps/{APP_ID}/installs',
    params: { APP_ID: appId },
  }));
  expect(await all(list(7))).toEqual([{ id: 1 }]);
  expect(await listPage(8, { startingAfter: 1 })).toEqual({ data: [{ id: 2 }], hasMore: false });
  expect(requests).toMatchObject([
    { method: 'GET', params: { APP_ID: 7 }, query: { limit: 100 } },
    { method: 'GET', params: { APP_ID: 8 }, query: { limit: 100, starting_after: 1 } },
  ]);
});

test('fetchPage sends limit and starting_after', async () => {
  const { transport, requests } = respondingWith({ data: [{ id: 8, extra: 'kept' }], has_more: true });
  expect(await fetchPage(transport, { route: '/logs' }, record, { limit: 5, startingAfter: 7 })).toEqual({
    data: [{ id: 8, extra: 'kept' }],
    hasMore: true,
  });
  expect(requests[0]?.query).toEqual({ limit: 5, starting_after: 7 });
});

describe('a response of another shape', () => {
  async function failure(method: 'GET' | 'POST', body: unknown): Promise<SimpleMdmError> {
    try {
      await fetchRecord(respondingWith(body).transport, { method, route: '/devices/1' }, record);
    } catch (error) {
      if (error instanceof SimpleMdmError) return error;
      throw error;
    }
    throw new Error('it should have failed');
  }

  test.each([{ data: { id: 'x' } }, { data: {} }])('%j: the record has no usable id', async (body) => {
    const error = await failure('GET', body);
    expect(error.message).toMatch(
      /^GET \/devices\/1 \(account default\) returned an unexpected response: id: /,
    );
    expect(error.failure).toMatchObject({ kind: 'malformed', status: 200, mayHaveTakenEffect: false });
    expect(error.isRetryable).toBe(true);
  });

  test.each([{}, { data: 'text' }, undefined, 'text'])('%j is not from SimpleMDM', async (body) => {
    const error = await failure('GET', body);
    expect(error).toMatchObject({ code: 'api/not-simplemdm', isOutage: true });
  });

  test('of a write: the write may have taken effect', async () => {
    expect((await failure('POST', {})).failure.mayHaveTakenEffect).toBe(true);
  });
});

describe('SimpleMdmError', () => {
  function failed(failure: Pick<Failure, 'kind' | 'status' | 'titles' | 'detail'>): SimpleMdmError {
    const call = { account: 'acme', method: 'GET', path: '/devices/1', mayHaveTakenEffect: false };
    return new SimpleMdmError({ ...call, ...failure });
  }
  const returned = (status: number): SimpleMdmError =>
    failed({ kind: 'response', status, titles: ['a title', 'another'] });

  test.each<
    [number, ErrorCode, Partial<Record<'notFound' | 'isRetryable' | 'isAccountUnavailable', boolean>>]
  >([
    [400, 'api/invalid-request', {}],
    [401, 'api/refused-key', { isAccountUnavailable: true }],
    [403, 'api/forbidden', {}],
    [404, 'api/not-found', { notFound: true }],
    [405, 'api/invalid-request', {}],
    [408, 'api/timeout', { isRetryable: true }],
    [409, 'api/conflict', {}],
    [422, 'api/invalid-request', {}],
    [429, 'api/rate-limited', { isRetryable: true, isAccountUnavailable: true }],
    [500, 'api/server-error', { isRetryable: true }],
    [503, 'api/server-error', { isRetryable: true }],
  ])('%d: %s', (status, expectedCode, expected) => {
    const { code, notFound, isRetryable, isAccountUnavailable } = failed({ kind: 'response', status });
    expect(code).toBe(expectedCode);
    expect({ notFound, isRetryable, isAccountUnavailable }).toEqual({
      notFound: false,
      isRetryable: false,
      isAccountUnavailable: false,
      ...expected,
    });
  });

  test.each<[FailureKind, ErrorCode, string]>([
    ['network', 'api/unreachable', 'GET /devices/1 (account acme) got no response: a detail'],
    ['timeout', 'api/timeout', 'GET /devices/1 (account acme) timed out: a detail'],
    [
      'foreign',
      'api/not-simplemdm',
      'GET /devices/1 (account acme) got an answer that is not from SimpleMDM: a detail - something between answered, such as a proxy, a login page or a captive portal: check the proxy, DNS and SIMPLEMDM_BASE_URL',
    ],
    [
      'incomplete',
      'api/incomplete-list',
      'GET /devices/1 (account acme) did not return the whole list: a detail',
    ],
    [
      'malformed',
      'api/unexpected-response',
      'GET /devices/1 (account acme) returned an unexpected response: a detail',
    ],
    ['paused', 'api/account-paused', 'a detail'],
    ['stopped', 'api/stopped', 'GET /devices/1 (account acme) was canceled: the service is stopping'],
  ])('%s: %s', (kind, code, message) => {
    const error = failed({ kind, detail: 'a detail' });
    expect(error).toMatchObject({ code, message, isRetryable: true, notFound: false });
    expect(error.isAccountUnavailable).toBe(kind === 'paused');
  });

  test('the message has the call, the account, the titles and advice', () => {
    expect(returned(404).message).toBe('GET /devices/1 (account acme) returned 404: a title; another');
    expect(returned(401).message).toContain('check SIMPLEMDM_API_KEY');
    expect(returned(403).message).toContain('grant it in SimpleMDM');
  });
});
