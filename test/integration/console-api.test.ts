import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { openJournal } from '../../src/journal/journal.js';
import { shortId } from '../../src/journal/trace-keys.js';
import { forgetEvents } from '../support/forget-events.js';
import { eventSummary, trace } from '../../src/journal/trace.js';
import type { Trace } from '../../src/journal/trace.js';
import { until } from '../support/until.js';
import { useSharedWorld } from '../support/use-world.js';
import { ADMIN_TOKEN, WEBHOOK_TOKEN } from '../support/world.js';
import { acceptedFrom, enrolled, problemFrom, send } from './receiver/receiver.js';
import { singleShard } from '../../src/queues/shards.js';

const rules = `
rules:
  - id: onboard
    on: device.enrolled
    do:
      - assign_device_group: { group: Laptops }
        id: group
      - run_script: { script: "Say hi" }
        id: hello
      - log: { message: "job {{ steps.hello.job_id }}" }
  - id: note
    on: [device.enrolled, device.unenrolled]
    do:
      - log: { message: "noted" }
  - id: macs
    on: device.changed_group
    if: device.platform == "macOS"
    do:
      - log: { message: "a Mac" }
`;

const page = z.strictObject({
  events: z.array(z.looseObject(eventSummary.shape)),
  cursor: z.string().optional(),
});
const replayed = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('resumed'),
    id: z.string(),
    event: z.boolean(),
    rules: z.array(z.string()),
  }),
  z.strictObject({ kind: z.literal('repeated'), id: z.string() }),
]);

const world = useSharedWorld({ rules, env: { RETRY_ATTEMPTS: '3', LOG_LEVEL: 'info' } });

// Otherwise the webhooks of the simulator about actions of the rules mix with those of the test.
beforeAll(() => world.simulator.setWebhook(undefined));

afterEach(() => world.simulator.clearFaults());

const authorized = { Authorization: `Bearer ${ADMIN_TOKEN}` };
const get = (path: string) => request(world.service.url).get(path).set(authorized);
const replay = (id: string, query = '') =>
  request(world.service.url).post(`/api/events/${id}/replay${query}`).set(authorized);

async function list(query: Readonly<Record<string, string>> = {}) {
  const response = await get('/api/events').query(query);
  expect(response.status).toBe(200);
  return page.parse(JSON.parse(response.text));
}

async function traceOf(id: string): Promise<Trace> {
  const response = await get(`/api/events/${id}`);
  expect(response.status).toBe(200);
  return trace.parse(JSON.parse(response.text));
}

let moment = Date.parse('2024-01-01T00:00:00.000Z');

/** Posts a webhook that no other test posts. Returns the id of its event. */
async function post(webhook: { type: string; data: unknown }): Promise<string> {
  moment += 1000;
  const reply = await send(world.service.url, `/webhooks/simplemdm/${WEBHOOK_TOKEN}`, {
    body: JSON.stringify({ ...webhook, at: new Date(moment).toISOString() }),
  });
  expect(reply.status).toBe(202);
  return acceptedFrom(reply.text).id;
}

/** Waits until an event has one of the statuses and no job is active. */
async function reached(id: string, ...statuses: Trace['status'][]): Promise<Trace> {
  const found = await until(`${id} is ${statuses.join(' or ')}`, async () => {
    const current = await traceOf(id);
    return statuses.includes(current.status) ? current : undefined;
  });
  await until('no job is active', async () => {
    const text = await (await fetch(`${world.service.url}/metrics`)).text();
    return !/mdm_reflex_queue_jobs\{queue="\w+",state="active"\} [1-9]/.test(text);
  });
  return found;
}

const newDevice = (id = 54) => ({ type: 'device.enrolled', data: enrolled(id).data });
const callsTo = (pattern: RegExp): string[] => world.calls().filter((call) => pattern.test(call));

describe('authentication', () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  test.each<[string, Readonly<Record<string, string>>]>([
    ['no token', {}],
    ['a wrong token', { Authorization: 'Bearer wrong' }],
    ['the webhook token', { Authorization: `Bearer ${WEBHOOK_TOKEN}` }],
    ['the beginning of the token', { Authorization: `Bearer ${ADMIN_TOKEN.slice(0, -1)}` }],
    ['the token without a scheme', { Authorization: ADMIN_TOKEN }],
    ['the token as a webhook token', { 'X-Webhook-Token': ADMIN_TOKEN }],
    ['Basic with a wrong password', { Authorization: basic('admin:wrong') }],
  ])('%s: 401 everywhere, and nothing happens', async (_name, headers) => {
    const id = await post({ type: 'test_event', data: {} });
    const before = (await list({ limit: '100' })).events.length;
    for (const sent of [
      request(world.service.url).get('/api/events'),
      request(world.service.url).get(`/api/events/${id}`),
      request(world.service.url).post(`/api/events/${id}/replay`),
      request(world.service.url).get('/api/nothing'),
      request(world.service.url).get('/API/events'),
    ]) {
      const response = await sent.set(headers);
      expect(response.status).toBe(401);
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(problemFrom(response.text)).toMatchObject({
        code: 'http/unauthorized',
        detail: expect.stringMatching(/ADMIN_TOKEN/),
      });
    }
    expect((await list({ limit: '100' })).events).toHaveLength(before);
  });

  test('with the token, an unknown address is 404', async () => {
    const response = await get('/api/nothing');
    expect(response.status).toBe(404);
    expect(problemFrom(response.text).code).toBe('http/not-found');
  });
});

describe('GET /api/events', () => {
  let idOf: Readonly<Record<'enrolled' | 'unenrolled' | 'changed' | 'lock' | 'hardware', string>>;
  const serial = 'C02FILTER0001';

  beforeAll(async () => {
    idOf = {
      enrolled: await post(newDevice(56)),
      unenrolled: await post({
        type: 'device.unenrolled',
        data: { device: { id: 7001, serial_number: serial } },
      }),
      changed: await post({ type: 'device.changed_group', data: { device: { id: 98 } } }),
      lock: await post({ type: 'device.lock.enabled', data: { device: { id: 7001 } } }),
      hardware: await post({ type: 'abm.device.added', data: { device: { serial_number: serial } } }),
    };
    await until('all events have ended', async () => {
      const { events } = await list({ limit: '100' });
      return events.every(({ status }) => ['completed', 'no_match'].includes(status));
    });
  });

  const idsFor = async (query: Readonly<Record<string, string>>): Promise<string[]> =>
    (await list({ limit: '100', ...query })).events.map(({ id }) => id);

  test('newest first, each with its data', async () => {
    const { events } = await list({ limit: '5' });
    expect(events.map(({ id }) => id)).toEqual([
      idOf.hardware,
      idOf.lock,
      idOf.changed,
      idOf.unenrolled,
      idOf.enrolled,
    ]);
    expect(events[4]).toMatchObject({
      type: 'device.enrolled',
      account: 'default',
      source: 'webhook',
      status: 'completed',
      rules: expect.arrayContaining(['onboard', 'note']),
      data: enrolled(56).data,
    });
  });

  test('by type, exact and by pattern', async () => {
    expect(await idsFor({ type: 'device.lock.enabled' })).toEqual([idOf.lock]);
    expect(await idsFor({ type: 'abm.*' })).toEqual([idOf.hardware]);
    expect(await idsFor({ type: 'device.*' })).toEqual(
      expect.arrayContaining([idOf.enrolled, idOf.unenrolled, idOf.changed, idOf.lock]),
    );
    expect(await idsFor({ type: 'nothing.*' })).toEqual([]);
  });

  test('by device, its id or its serial number', async () => {
    expect(await idsFor({ device: '7001' })).toEqual([idOf.lock, idOf.unenrolled]);
    // The event of the lock names only the id: other events told the serial number of that device.
    expect(await idsFor({ device: serial })).toEqual([idOf.hardware, idOf.lock, idOf.unenrolled]);
    expect(await idsFor({ device: serial.toLowerCase() })).toHaveLength(3);
    expect(await idsFor({ device: '700' })).toEqual([]);
  });

  test('by rule, by status, by account, and by all of them', async () => {
    expect(await idsFor({ rule: 'note' })).toEqual([idOf.unenrolled, idOf.enrolled]);
    expect(await idsFor({ rule: 'onboard' })).toEqual([idOf.enrolled]);
    expect(await idsFor({ rule: 'macs' })).toEqual([]);
    expect(await idsFor({ status: 'completed' })).toEqual([idOf.unenrolled, idOf.enrolled]);
    expect(await idsFor({ status: 'no_match' })).toEqual(
      expect.arrayContaining([idOf.hardware, idOf.changed]),
    );
    expect(await idsFor({ account: 'elsewhere' })).toEqual([]);
    expect(await idsFor({ account: 'default', rule: 'note', device: '7001', status: 'completed' })).toEqual([
      idOf.unenrolled,
    ]);
  });

  test('by the status of any run; the event shows the status and reason of its worst run', async () => {
    const journal = openJournal(
      singleShard(world.client),
      { repeatWindowDays: 7, deadLetterDays: 90 },
      (text) => text,
    );
    const id = createHash('sha256').update('several runs').digest('hex');
    const now = new Date().toISOString();
    const about = { account: 'default', type: 'several.runs', at: now, receivedAt: now, data: {} };
    await journal.recordReceived([{ ...about, id, source: 'webhook' }]);
    await journal.recordProcessing(id, { state: 'completed', attempts: 1, at: now });
    for (const [rule, status, reason] of [
      ['a', 'completed', undefined],
      ['b', 'waiting', 'it is held'],
      ['c', 'failed', 'it broke'],
    ] as const) {
      await journal.recordRun(id, { rule, status, plannedAt: now, steps: [], ...(reason && { reason }) });
    }
    const type = 'several.runs';
    for (const status of ['waiting', 'failed', 'completed'])
      expect(await idsFor({ type, status })).toEqual([id]);
    for (const status of ['queued', 'processing', 'no_match'])
      expect(await idsFor({ type, status })).toEqual([]);
    const [found] = (await list({ type })).events;
    expect(found).toMatchObject({ status: 'failed', reason: 'rule c: it broke (and 1 more)' });
    await forgetEvents(world.client, [id]);
  });

  test('the name of a fetched device is in the list', async () => {
    const { name } = world.simulator.device(56)?.attributes ?? {};
    const [found] = (await list({ type: 'device.enrolled', device: '56' })).events;
    expect(found?.deviceName).toBe(name);
    expect(name).toMatch(/./);
  });

  test('since a time, in any notation', async () => {
    const { receivedAt } = await traceOf(idOf.changed);
    const wanted = [idOf.hardware, idOf.lock, idOf.changed];
    expect((await idsFor({ since: receivedAt })).slice(0, 3)).toEqual(wanted);
    expect(await idsFor({ since: receivedAt })).not.toContain(idOf.enrolled);
    const there = new Date(Date.parse(receivedAt) + 2 * 3_600_000).toISOString().replace('Z', '+02:00');
    expect(await idsFor({ since: there })).toEqual(await idsFor({ since: receivedAt }));
    expect(await idsFor({ since: '2999-01-01T00:00:00Z' })).toEqual([]);
  });

  test.each<[string, string]>([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=', 'limit'],
    ['limit=99999999999', 'limit'],
    ['limit=5&limit=6', 'limit'],
    ['status=done', 'status'],
    ['since=yesterday', 'since'],
    ['since=2024-01-01', 'since'],
    ['since=2024-13-01T00:00:00Z', 'since'],
    ['cursor=x', 'cursor'],
    ['cursor=-1-ab', 'cursor'],
    [`type=${'x'.repeat(129)}`, 'type'],
    ['type=a&type=b', 'type'],
    ['tipe=a', 'tipe'],
    ['__proto__=a', ''],
  ])('%s: 400 that names %s', async (query, name) => {
    const response = await get(`/api/events?${query}`);
    expect(response.status).toBe(400);
    const problem = problemFrom(response.text);
    expect(problem.code).toBe('http/invalid-request');
    expect(problem.detail).toContain(name);
  });

  test.each(['1', '100'])('limit=%s is valid', async (limit) => {
    expect((await list({ limit })).events.length).toBeLessThanOrEqual(Number(limit));
  });

  test.each([`${'9'.repeat(400)}-ab`, '0-0', `${Date.now()}-${'f'.repeat(64)}`, '1e5-ab'])(
    'an invented cursor is no server error',
    async (cursor) => {
      expect((await get('/api/events').query({ cursor })).status).toBeLessThan(500);
    },
  );

  describe('paging', () => {
    const written: string[] = [];
    const type = 'paging.test';

    beforeAll(async () => {
      const journal = openJournal(
        singleShard(world.client),
        { repeatWindowDays: 7, deadLetterDays: 90 },
        (text) => text,
      );
      const base = Date.now() + 60_000;
      // 260 events in 30 milliseconds: up to a hundred in the same one.
      const events = Array.from({ length: 260 }, (_, index) => ({
        id: createHash('sha256').update(`paging ${index}`).digest('hex'),
        account: 'default',
        type: index % 2 === 0 ? type : 'paging.other',
        at: '2024-01-01T00:00:00.000Z',
        receivedAt: new Date(base + (index < 100 ? 7 : index % 30)).toISOString(),
        source: 'webhook' as const,
        data: { device: { id: 8000 + index } },
      }));
      await journal.recordReceived(events);
      const newestFirst = [...events].sort(
        (a, b) => b.receivedAt.localeCompare(a.receivedAt) || (shortId(a.id) < shortId(b.id) ? 1 : -1),
      );
      written.push(...newestFirst.map(({ id }) => id));
    });

    async function walk(query: Readonly<Record<string, string>>): Promise<string[]> {
      const ids: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 400; pages += 1) {
        const found = await list({ ...query, ...(cursor !== undefined && { cursor }) });
        ids.push(...found.events.map(({ id }) => id));
        cursor = found.cursor;
        if (cursor === undefined) return ids;
      }
      throw new Error('the pages never end');
    }

    test.each(['4', '33', '100'])(
      'pages of %s: every event once, newest first, none lost within a millisecond',
      async (limit) => {
        expect(await walk({ type: 'paging.*', limit })).toEqual(written);
      },
    );

    test('with a filter that half of the events pass', async () => {
      const found = await walk({ type, limit: '9' });
      expect(found).toHaveLength(130);
      expect(new Set(found).size).toBe(130);
      expect(written.filter((id) => found.includes(id))).toEqual(found);
    });

    test('since applies to every page', async () => {
      const all = await list({ type: 'paging.*', limit: '100' });
      const since = all.events.at(-1)?.receivedAt ?? '';
      const found = await walk({ type: 'paging.*', since, limit: '10' });
      expect(found.length).toBeGreaterThanOrEqual(100);
      expect(written.slice(0, found.length)).toEqual(found);
    });

    test('events that arrive between two pages do not shift them', async () => {
      const first = await list({ type: 'paging.*', limit: '50' });
      const journal = openJournal(
        singleShard(world.client),
        { repeatWindowDays: 7, deadLetterDays: 90 },
        (text) => text,
      );
      await journal.recordReceived([
        {
          id: 'f'.repeat(64),
          account: 'default',
          type: 'paging.test',
          at: '2024-01-01T00:00:00.000Z',
          receivedAt: first.events.at(-1)?.receivedAt ?? '',
          source: 'webhook',
          data: {},
        },
      ]);
      const second = await list({ type: 'paging.*', limit: '50', cursor: first.cursor ?? '' });
      expect([...first.events, ...second.events].map(({ id }) => id)).toEqual(written.slice(0, 100));
      await forgetEvents(world.client, ['f'.repeat(64)]);
    });

    afterAll(async () => {
      await forgetEvents(world.client, written);
    });
  });
});

describe('GET /api/events/:id', () => {
  test('the complete trace, by the id and by its first characters', async () => {
    const id = await post(newDevice(56));
    await reached(id, 'completed');
    const whole = await traceOf(id);
    expect(whole).toMatchObject({
      id,
      status: 'completed',
      decisions: expect.any(Array),
      runs: expect.any(Array),
    });
    expect(whole.runs.map(({ rule, status }) => [rule, status])).toEqual(
      expect.arrayContaining([
        ['onboard', 'completed'],
        ['note', 'completed'],
      ]),
    );
    expect(whole.decisions.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['onboard', 'note']));
    for (const length of [6, 12, 63]) expect(await traceOf(id.slice(0, length))).toEqual(whole);
  });

  test.each([
    ['an unknown id', 'a'.repeat(64)],
    ['a prefix that is too short', 'abcde'],
    ['no id', 'hello'],
    ['too long', 'a'.repeat(65)],
    ['a pattern', '*'],
    ['a path', '..%2F..%2Fetc'],
  ])('%s: 404', async (_name, id) => {
    const response = await get(`/api/events/${id}`);
    expect(response.status).toBe(404);
    expect(problemFrom(response.text)).toMatchObject({ status: 404, code: 'http/not-found' });
    expect((await replay(id)).status).toBe(404);
  });

  test('a prefix of two ids: 404', async () => {
    const journal = openJournal(
      singleShard(world.client),
      { repeatWindowDays: 7, deadLetterDays: 90 },
      (text) => text,
    );
    const ids = ['0', '1'].map((end) => `abcdef${end.repeat(58)}`);
    await journal.recordReceived(
      ids.map((id) => ({
        id,
        account: 'default',
        type: 'prefix.test',
        at: '2024-01-01T00:00:00.000Z',
        receivedAt: new Date().toISOString(),
        source: 'webhook',
        data: {},
      })),
    );
    expect((await get('/api/events/abcdef')).status).toBe(404);
    expect((await get(`/api/events/${ids[0] ?? ''}`)).status).toBe(200);
    await forgetEvents(world.client, ids);
  });

  test('a malformed address: 400', async () => {
    const response = await get('/api/events/%zz');
    expect(response.status).toBe(400);
    expect(problemFrom(response.text).code).toBe('http/invalid-request');
  });
});

describe('POST /api/events/:id/replay', () => {
  async function failedAtTheScript(): Promise<string> {
    world.simulator.addFault({ kind: 'status', status: 422, method: 'POST', path: '/script_jobs' });
    const id = await post(newDevice());
    const failed = await reached(id, 'failed');
    expect(failed.runs.map(({ rule, status }) => [rule, status])).toEqual([
      ['note', 'completed'],
      ['onboard', 'failed'],
    ]);
    world.simulator.clearFaults();
    world.simulator.clearCalls();
    return id;
  }

  test('a failed run resumes at the failed step and repeats no step before it', async () => {
    const id = await failedAtTheScript();
    const before = await traceOf(id);
    const response = await replay(id);
    expect(response.status).toBe(202);
    expect(replayed.parse(JSON.parse(response.text))).toEqual({
      kind: 'resumed',
      id,
      event: false,
      rules: ['onboard'],
    });
    const after = await reached(id, 'completed');
    expect(callsTo(/^POST /)).toEqual(['POST /script_jobs']);
    const [first, second, third] = after.runs.find(({ rule }) => rule === 'onboard')?.steps ?? [];
    expect(first).toEqual(before.runs.find(({ rule }) => rule === 'onboard')?.steps[0]);
    expect(second).toMatchObject({ status: 'completed', output: { script_name: 'Say hi' } });
    expect(third).toMatchObject({ status: 'completed' });
    expect(after.runs.find(({ rule }) => rule === 'note')).toEqual(
      before.runs.find(({ rule }) => rule === 'note'),
    );
    expect(
      (await list({ device: '54', type: 'device.enrolled', limit: '100' })).events.filter(
        (event) => event.id === id,
      ),
    ).toHaveLength(1);
  });

  test('a failed event is processed again', async () => {
    // A device that no rule has put in a group. Otherwise the event would count as caused by that rule.
    const device = world.simulator.enroll({ kind: 'macbook' });
    world.simulator.addFault({ kind: 'status', status: 500, method: 'GET', path: `/devices/${device.id}` });
    const id = await post({ type: 'device.changed_group', data: { device: { id: device.id } } });
    const failed = await reached(id, 'failed');
    expect(failed.processing).toMatchObject({ state: 'failed', attempts: 3 });
    world.simulator.clearFaults();
    const response = await replay(id);
    expect(replayed.parse(JSON.parse(response.text))).toEqual({
      kind: 'resumed',
      id,
      event: true,
      rules: [],
    });
    const after = await reached(id, 'completed');
    expect(after.rules).toEqual(['macs']);
  });

  test('an event without failures is replayed as a new event, and only with everything=true', async () => {
    const id = await post(newDevice());
    await reached(id, 'completed');
    world.simulator.clearCalls();
    const refused = await replay(id);
    expect(refused.status).toBe(409);
    expect(problemFrom(refused.text)).toMatchObject({
      code: 'http/nothing-to-replay',
      detail: expect.stringContaining('nothing failed for this event'),
    });
    expect(callsTo(/^POST /)).toEqual([]);
    const response = await replay(id, '?everything=true');
    expect(response.status).toBe(202);
    const repeated = replayed.parse(JSON.parse(response.text));
    expect(repeated.kind).toBe('repeated');
    expect(repeated.id).not.toBe(id);
    const after = await reached(repeated.id, 'completed');
    const original = await traceOf(id);
    expect(after).toMatchObject({
      source: 'replay',
      type: original.type,
      at: original.at,
      data: original.data,
      account: 'default',
    });
    expect(callsTo(/^POST /)).toEqual(['POST /device_groups/41/devices/54', 'POST /script_jobs']);
    expect(original.status).toBe('completed');
  });

  test('everything=true replays a failed event as a new event too', async () => {
    const id = await failedAtTheScript();
    const repeated = replayed.parse(JSON.parse((await replay(id, '?everything=true')).text));
    expect(repeated.kind).toBe('repeated');
    await reached(repeated.id, 'completed');
    expect(callsTo(/^POST /)).toEqual(['POST /device_groups/41/devices/54', 'POST /script_jobs']);
    expect((await traceOf(id)).status).toBe('failed');
  });

  test.each(['?everything=yes', '?everything=', '?all=true', '?everything=true&everything=true'])(
    '%s: 400',
    async (query) => {
      const id = await post({ type: 'test_event', data: {} });
      expect((await replay(id, query)).status).toBe(400);
    },
  );

  test('by the first characters of the id', async () => {
    const id = await failedAtTheScript();
    expect(replayed.parse(JSON.parse((await replay(id.slice(0, 16))).text))).toMatchObject({
      kind: 'resumed',
      id,
    });
    await reached(id, 'completed');
  });

  test('a replay that fails can be replayed again', async () => {
    const id = await failedAtTheScript();
    world.simulator.addFault({ kind: 'status', status: 422, method: 'POST', path: '/script_jobs' });
    expect((await replay(id)).status).toBe(202);
    await until('the step has been attempted', () => callsTo(/^POST \/script_jobs/).length === 1);
    await reached(id, 'failed');
    world.simulator.clearFaults();
    expect(replayed.parse(JSON.parse((await replay(id)).text)).kind).toBe('resumed');
    await reached(id, 'completed');
    expect(callsTo(/^POST \/device_groups/)).toEqual([]);
  });

  test('concurrent clicks resume the run once, and none gets an internal error', async () => {
    const id = await failedAtTheScript();
    const statuses = (await Promise.all([replay(id), replay(id), replay(id)])).map(({ status }) => status);
    await reached(id, 'completed');
    expect(callsTo(/^POST /)).toEqual(['POST /script_jobs']);
    expect(statuses.filter((status) => status >= 500)).toEqual([]);
  });

  test('a second click during the first replay does not replay the whole event', async () => {
    const id = await failedAtTheScript();
    world.simulator.addFault({ kind: 'slow', delayMs: 300, method: 'POST', path: '/script_jobs' });
    expect(replayed.parse(JSON.parse((await replay(id)).text)).kind).toBe('resumed');
    const second = await replay(id);
    expect(second.status).toBeLessThan(500);
    await reached(id, 'completed');
    // Steps before the failed step do not run again.
    expect(callsTo(/^POST \/device_groups/)).toEqual([]);
    if (second.status === 409) expect(problemFrom(second.text).code).toBe('http/event-in-progress');
    if (second.status === 202) expect(replayed.parse(JSON.parse(second.text)).kind).toBe('resumed');
  });

  test('methods other than POST do not replay', async () => {
    const id = await post({ type: 'test_event', data: {} });
    expect([404, 405]).toContain((await get(`/api/events/${id}/replay`)).status);
  });
});
