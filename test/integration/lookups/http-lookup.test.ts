import { afterEach, describe, expect, test } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LookupUnavailableError, createHttpLookup } from '../../../src/lookups/http-lookup.js';
import type { HttpLookupSettings } from '../../../src/rules/model/lookup.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { collectLog } from '../../support/log-lines.js';
import { sendJson, startTinyServer } from '../simplemdm/tiny-server.js';
import type { TinyServer } from '../simplemdm/tiny-server.js';

let server: TinyServer | undefined;

afterEach(() => server?.close());

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

/** A lookup on a server that the test controls, with a clock that the test moves. */
async function begin(first: Respond, settings: Partial<HttpLookupSettings> = {}) {
  let respond = first;
  const started = await startTinyServer((request, response) => respond(request, response));
  server = started;
  let time = Date.parse('2026-01-01T00:00:00Z');
  const { logTo, log } = collectLog();
  const metrics = createMetrics();
  const lookup = createHttpLookup(
    {
      kind: 'http',
      name: 'assets',
      settings: {
        url: `${started.url}/assets`,
        headers: { Authorization: 'Bearer ${env:T}' },
        key: 'serial',
        path: ['data', 'items'],
        refreshMs: 60_000,
        caseSensitive: false,
        ...settings,
      },
    },
    {
      env: { T: 'token-4711' },
      logger: createLogger({ level: 'debug', destination: logTo, redact: (text) => text }),
      metrics,
      signal: new AbortController().signal,
    },
    () => time,
  );
  return {
    requests: started.requests,
    log,
    answer: (next: Respond) => (respond = next),
    later: (ms: number) => (time += ms),
    owner: async (serial: string) => (await lookup.rows()).data.rows.get(serial)?.values['owner'],
    rows: lookup.rows,
    count: async (outcome: string) =>
      (await metrics.lookupRefreshes.get()).values.find(({ labels }) => labels.outcome === outcome)?.value,
  };
}

const ROWS = {
  data: {
    items: [
      { serial: 'C02A', owner: 'Ada' },
      { serial: 'C02B', owner: '' },
    ],
  },
};
const rows: Respond = (_request, response) => sendJson(response, ROWS);
const down: Respond = (_request, response) => sendJson(response, {}, 503);

describe('a lookup over HTTP', () => {
  test('keeps numbers that JavaScript would round as they are written: two keys stay two', async () => {
    const text =
      '[{"serial": 9007199254740993, "owner": "Ada", "cost": 1e400}, {"serial": 9007199254740992, "owner": 12345678901234567890}]';
    const lookup = await begin((_request, response) => response.end(text), { path: [] });
    expect(await lookup.owner('9007199254740993')).toBe('Ada');
    expect(await lookup.owner('9007199254740992')).toBe('12345678901234567890');
    expect(await lookup.rows()).toMatchObject({ warnings: [] });
  });

  test('says when the response is not UTF-8', async () => {
    const world = await begin(
      (_request, response) => response.end(Buffer.from('[{"serial": "a", "owner": "Müller"}]', 'latin1')),
      { path: [] },
    );
    expect(await world.owner('a')).toBe('M\uFFFDller');
    expect((await world.rows()).warnings).toEqual([
      'the response is not UTF-8: characters that cannot be read are replaced by U+FFFD',
    ]);
  });

  test('requests the rows once per refresh, with its headers; readers share a request', async () => {
    let authorization: string | undefined;
    const world = await begin((request, response) => {
      authorization = request.headers.authorization;
      sendJson(response, ROWS);
    });
    expect(await Promise.all([world.owner('c02a'), world.owner('c02b'), world.owner('c02x')])).toEqual([
      'Ada',
      null,
      undefined,
    ]);
    expect(authorization).toBe('Bearer token-4711');
    world.later(59_000);
    await world.owner('c02a');
    expect(world.requests).toEqual(['GET /assets']);
    world.later(2000);
    world.answer((_request, response) =>
      sendJson(response, { data: { items: [{ serial: 'C02A', owner: 'Bob' }] } }),
    );
    expect(await world.owner('c02a')).toBe('Bob');
    expect(world.requests).toHaveLength(2);
  });

  test('asks with the ETag, and keeps the rows after 304', async () => {
    const tags: (string | undefined)[] = [];
    const world = await begin((request, response) => {
      tags.push(request.headers['if-none-match']);
      if (tags.length > 1) response.writeHead(304).end();
      else
        response
          .writeHead(200, { etag: '"v1"', 'content-type': 'application/json' })
          .end(JSON.stringify(ROWS));
    });
    await world.owner('c02a');
    world.later(61_000);
    expect(await world.owner('c02a')).toBe('Ada');
    expect(tags).toEqual([undefined, '"v1"']);
    expect(await world.count('unchanged')).toBe(1);
  });

  test('uses the last rows with a warning while the service is down, and asks less and less often', async () => {
    const world = await begin(rows);
    await world.rows();
    world.answer(down);
    world.later(3_600_000);
    const { data, warnings } = await world.rows();
    expect(data.rows.size).toBe(2);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the rows are from 2026-01-01T00:00:00.000Z: the service is unavailable: 127\.0\.0\.1:\d+ returned 503$/,
      ),
    ]);
    for (let reads = 0; reads < 100; reads += 1) await world.rows();
    expect(world.requests).toHaveLength(2);
    world.later(2000);
    await world.rows();
    world.later(2000);
    await world.rows();
    expect(world.requests).toHaveLength(3);
    world.later(2000);
    world.answer(rows);
    expect((await world.rows()).warnings).toEqual([]);
    expect(world.log()).toContain('lookup/unavailable');
    expect(world.log()).not.toContain('token-4711');
    expect(await world.count('failed')).toBe(2);
  });

  test('without any rows it is unavailable, and says when it asks again', async () => {
    const world = await begin(down);
    const failure = await world.rows().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LookupUnavailableError);
    expect(failure).toMatchObject({
      code: 'lookup/unavailable',
      notBefore: Date.parse('2026-01-01T00:00:02Z'),
    });
    world.answer(rows);
    await expect(world.rows()).rejects.toThrow('lookup.assets');
    world.later(2000);
    expect(await world.owner('c02a')).toBe('Ada');
  });

  const html: Respond = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>');
  test.each<[string, Respond, string]>([
    ['a login page', html, 'the response is not JSON: it looks like a web page'],
    [
      'an empty response',
      (_request, response) => void response.end(),
      'the response is not JSON: it is empty',
    ],
    [
      'another path',
      (_request, response) => sendJson(response, { items: [] }),
      'expected a list of records at data.items, got nothing',
    ],
    [
      'a record in place of the list',
      (_request, response) => sendJson(response, { data: { items: {} } }),
      'expected a list of records at data.items, got a record',
    ],
    [
      'rows without the key',
      (_request, response) => sendJson(response, { data: { items: [{ sn: 'X', owner: 'y' }] } }),
      'no row has a usable "serial" (fields: sn, owner)',
    ],
    ['404', (_request, response) => sendJson(response, {}, 404), 'returned 404'],
  ])('%s is never an empty table', async (_name, respond, reason) => {
    const world = await begin(respond);
    await expect(world.rows()).rejects.toThrow(reason);
  });

  test('odd rows are left out with a warning; the last row of a key counts', async () => {
    const items = [null, { owner: 'nobody' }, { serial: 'X', owner: 1 }, { serial: 'x', owner: 2 }];
    const world = await begin((_request, response) => sendJson(response, { data: { items } }));
    const { data, warnings } = await world.rows();
    expect([...data.rows.values()]).toEqual([{ key: 'x', values: { serial: 'x', owner: 2 } }]);
    expect(warnings).toEqual([
      '2 rows without a key are left out, such as number 1',
      '1 keys occur more than once, such as x: the last row counts',
    ]);
  });

  test('a record by key; a nested key', async () => {
    const byKey = await begin((_request, response) => sendJson(response, { C02A: { owner: 'Ada' } }), {
      key: undefined,
      path: [],
    });
    expect(await byKey.owner('c02a')).toBe('Ada');
    await server?.close();
    const nested = await begin(
      (_request, response) => sendJson(response, [{ hw: { sn: 'C02A' }, owner: 'Ada' }]),
      { key: 'hw.sn', path: [] },
    );
    expect(await nested.owner('c02a')).toBe('Ada');
  });

  test('a missing variable is said by name', async () => {
    const world = await begin(rows, { headers: { A: '${env:MISSING}' } });
    await expect(world.rows()).rejects.toThrow('the environment variable MISSING is not set');
  });
});
