import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { ErrorCode } from '../../../src/errors/registry.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Failure, FailureKind } from '../../../src/simplemdm/errors.js';
import type { ApiRequest } from '../../../src/simplemdm/request.js';
import { fetchAll, fetchPage, fetchRecord } from '../../../src/simplemdm/resource.js';
import type { Transport } from '../../../src/simplemdm/transport.js';

const record = z.looseObject({ id: z.int(), name: z.string().optional() });

/** A transport that answers from a list and notes what it was asked. */
function answering(...bodies: unknown[]): { transport: Transport; requests: ApiRequest[] } {
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
  test('asks for page after page, each from the last id of the one before', async () => {
    const { transport, requests } = answering(
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

  test.each<[string, unknown[], number]>([
    ['has_more is left out', [{ data: [{ id: 1 }] }], 1],
    ['a page is empty though it says there is more', [{ data: [], has_more: true }], 1],
    [
      'the same id ends two pages',
      [
        { data: [{ id: 1 }], has_more: true },
        { data: [{ id: 1 }], has_more: true },
        { data: [{ id: 1 }], has_more: true },
      ],
      2,
    ],
  ])('ends when %s', async (_when, bodies, calls) => {
    const { transport, requests } = answering(...bodies);
    await all(fetchAll(transport, { route: '/devices' }, record));
    expect(requests).toHaveLength(calls);
  });

  test('fetches no further page than is read', async () => {
    const { transport, requests } = answering({ data: [{ id: 1 }, { id: 2 }], has_more: true });
    for await (const item of fetchAll(transport, { route: '/devices' }, record)) {
      if (item.id === 2) break;
    }
    expect(requests).toHaveLength(1);
  });
});

test('fetchPage places the page as it is told', async () => {
  const { transport, requests } = answering({ data: [{ id: 8, extra: 'kept' }], has_more: true });
  expect(await fetchPage(transport, { route: '/logs' }, record, { limit: 5, startingAfter: 7 })).toEqual({
    data: [{ id: 8, extra: 'kept' }],
    hasMore: true,
  });
  expect(requests[0]?.query).toEqual({ limit: 5, starting_after: 7 });
});

describe('an answer of another shape', () => {
  async function failure(method: 'GET' | 'POST', body: unknown): Promise<SimpleMdmError> {
    try {
      await fetchRecord(answering(body).transport, { method, route: '/devices/1' }, record);
    } catch (error) {
      if (error instanceof SimpleMdmError) return error;
      throw error;
    }
    throw new Error('it should have failed');
  }

  test.each<[unknown, RegExp]>([
    [{ data: { id: 'x' } }, /data\.id: /],
    [{ data: {} }, /data\.id: /],
    [{ data: { id: 1, name: 5 } }, /data\.name: /],
    [{}, /data: /],
    [{ data: 'text' }, /data: /],
    [undefined, /the body: /],
    ['text', /the body: /],
  ])('%j names the field', async (body, where) => {
    const error = await failure('GET', body);
    expect(error.message).toMatch(where);
    expect(error.message).toContain('GET /devices/1 (account default) returned an unexpected response');
    expect(error.failure).toMatchObject({ kind: 'malformed', status: 200, mayHaveTakenEffect: false });
    expect(error.isRetryable).toBe(true);
  });

  test('to a write may mean that it took effect', async () => {
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
    [302, 'api/unexpected-response', {}],
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

  test('the message holds the call, the account, the titles and advice', () => {
    expect(returned(404).message).toBe('GET /devices/1 (account acme) returned 404: a title; another');
    expect(returned(401).message).toContain('check SIMPLEMDM_API_KEY');
    expect(returned(403).message).toContain('grant it in SimpleMDM');
    expect(returned(301).message).toContain('check SIMPLEMDM_BASE_URL');
  });
});
