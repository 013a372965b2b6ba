import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
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
    expect(error.message).toContain('GET /devices/1 (account default) answered something unexpected');
    expect(error.failure).toMatchObject({ kind: 'malformed', status: 200, mayHaveTakenEffect: false });
    expect(error.isRetryable).toBe(true);
  });

  test('to a write may mean that it took effect', async () => {
    expect((await failure('POST', {})).failure.mayHaveTakenEffect).toBe(true);
  });
});

describe('SimpleMdmError says what to do next', () => {
  function answered(status: number): SimpleMdmError {
    return new SimpleMdmError({
      kind: 'answer',
      account: 'acme',
      method: 'GET',
      path: '/devices/1',
      status,
      titles: ['a title', 'another'],
      mayHaveTakenEffect: false,
    });
  }
  test.each<[number, Partial<Record<'notFound' | 'isRetryable' | 'isAccountUnavailable', boolean>>]>([
    [302, {}],
    [400, {}],
    [401, { isAccountUnavailable: true }],
    [403, {}],
    [404, { notFound: true }],
    [408, { isRetryable: true }],
    [409, {}],
    [422, {}],
    [429, { isRetryable: true, isAccountUnavailable: true }],
    [500, { isRetryable: true }],
    [503, { isRetryable: true }],
  ])('%d', (status, expected) => {
    const { notFound, isRetryable, isAccountUnavailable } = answered(status);
    expect({ notFound, isRetryable, isAccountUnavailable }).toEqual({
      notFound: false,
      isRetryable: false,
      isAccountUnavailable: false,
      ...expected,
    });
  });

  test('the message holds the call, the account, the titles and advice', () => {
    expect(answered(404).message).toBe('GET /devices/1 (account acme) answered 404: a title; another');
    expect(answered(401).message).toContain('check SIMPLEMDM_API_KEY');
    expect(answered(403).message).toContain('give it the permission');
    expect(answered(301).message).toContain('check SIMPLEMDM_BASE_URL');
  });
});
