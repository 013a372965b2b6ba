import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { listRaised, resetRaised } from '../../../src/cli/raised.js';
import { openRaisedDevices } from '../../../src/coordination/raised-devices.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { openScheduleQueue, openSweepQueue } from '../../../src/queues/queues.js';
import { addTick } from '../../../src/schedules/schedule-queue.js';
import { lastSweeps } from '../../../src/schedules/last-sweeps.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const DEVICE = 121;
const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const LIVE = { account: 'default', rule: 'lost', mode: 'live' } as const;

const world = useWorld();
const chat = useChat();

const rules = (more = '', condition = 'device.name.startsWith("lost")'): string => `
rules:
  - id: lost
    on: { schedule: "0 0 1 1 *", for_each: devices }
    if: ${condition}
    when: becomes_true
    ${more}
    do:
      - http_request: { method: POST, url: "${chat.url}/tickets", json: { title: "{{ device.name }}" } }
        id: ticket
    on_clear:
      - http_request: { method: DELETE, url: "${chat.url}/tickets/{{ raised.steps.ticket.json.id }}" }
        id: closed
      - log: 'ticket {{ raised.steps.ticket.json.id }} of {{ raised.at | date: "%Y" }} is closed: {{ steps.closed.status }}'
        if: age(raised.at) < duration("24h")
`;

interface Begun extends World {
  /** Starts a sweep, and waits until it and its events and runs have ended. Gives its events. */
  readonly sweep: () => Promise<Trace[]>;
  readonly rename: (name: string) => Promise<void>;
}

async function begin(text: string, env: Record<string, string> = {}): Promise<Begun> {
  const started = await world.start({ rules: text, env });
  const schedules = openScheduleQueue(singleShard(started.client), RETENTION);
  const sweeps = openSweepQueue(singleShard(started.client), RETENTION);
  started.beforeStop(() => Promise.all([schedules.close(), sweeps.close()]));
  const events = async (): Promise<Trace[]> => {
    const found = await findEvents(openShards(started.client), { type: 'schedule.*', limit: 100 });
    const traces = await Promise.all(found.events.map(({ id }) => findTrace(openShards(started.client), id)));
    return traces.flatMap((trace) => trace ?? []);
  };
  const finishedAt = async (): Promise<string | undefined> =>
    (await lastSweeps(singleShard(started.client), 'lost'))['default']?.finishedAt;
  return Object.assign(started, {
    sweep: async () => {
      const [before, known] = [await finishedAt(), await events()];
      await addTick(schedules, 'lost');
      await until('the sweep has completed', async () => (await finishedAt()) !== before);
      return until('its events have ended', async () => {
        const added = (await events()).filter(({ id }) => !known.some((earlier) => earlier.id === id));
        return added.every(({ status }) => !['queued', 'processing', 'waiting'].includes(status)) && added;
      });
    },
    rename: async (name: string) => {
      const response = await fetch(`${started.simulator.url}/devices/${DEVICE}`, {
        method: 'PATCH',
        headers: {
          Authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}`,
          'Content-Type': 'application/json',
        },
        body: JSON.stringify({ name }),
      });
      expect(response.status).toBe(200);
    },
  });
}

const requests = (): string[] =>
  chat.requests().map(({ headers, path }) => `${String(headers['x-method'] ?? '')}${path}`);
const tickets = (): string[] => requests().filter((path) => path.startsWith('/tickets'));
const created = (id: number) => ({ status: 201, body: JSON.stringify({ id }) });

test('two sweeps open one ticket, and the ticket is closed with its id when the condition is false again', async () => {
  const { sweep, rename, client } = await begin(rules());
  const raised = openRaisedDevices(singleShard(client), RETENTION);
  expect(await sweep()).toEqual([]);
  await rename('lost 1');
  chat.answerNext(created(4711));
  expect(await sweep()).toMatchObject([
    {
      status: 'completed',
      decisions: [{ verdict: 'matched', reason: expect.stringMatching(/was not before$/) }],
    },
  ]);
  expect(await sweep()).toEqual([]);
  expect(tickets()).toEqual(['/tickets']);
  expect(await raised.list()).toMatchObject([{ ...LIVE, devices: [{ device: DEVICE, name: 'lost 1' }] }]);

  await rename('found');
  const [cleared] = await sweep();
  expect(cleared).toMatchObject({
    status: 'completed',
    decisions: [{ verdict: 'cleared', reason: expect.stringContaining('on_clear runs') }],
    runs: [
      {
        clears: true,
        status: 'completed',
        steps: [
          { status: 'completed' },
          { output: { message: expect.stringMatching(/^ticket 4711 of \d{4} is closed: completed$/) } },
        ],
      },
    ],
  });
  expect(tickets()).toEqual(['/tickets', '/tickets/4711']);
  expect(await sweep()).toEqual([]);
  expect(await raised.list()).toEqual([]);

  // The next time is another ticket.
  await rename('lost 2');
  chat.answerNext(created(4712));
  await sweep();
  await rename('found');
  await sweep();
  expect(tickets().slice(2)).toEqual(['/tickets', '/tickets/4712']);
});

test('on_clear waits for a run that is not complete, and uses what it leaves', async () => {
  const { sweep, rename, client, simulator } = await begin(rules());
  expect(simulator.device(DEVICE)).toBeDefined();
  await rename('lost');
  // The first answer makes the step try again later.
  chat.answerNext({ status: 503, headers: { 'Retry-After': '2' } }, created(4713));
  const raising = sweep();
  await until('the first request', () => tickets().length === 1);
  await rename('found');
  const schedules = openScheduleQueue(singleShard(client), RETENTION);
  world.beforeStop(() => schedules.close());
  await addTick(schedules, 'lost');
  await raising;
  await until('the ticket is closed', () => tickets().includes('/tickets/4713'));
  expect(tickets()).toEqual(['/tickets', '/tickets', '/tickets/4713']);
});

test('a run that fails leaves the device raised; on_clear says which output is missing', async () => {
  const { sweep, rename } = await begin(rules());
  await rename('lost');
  chat.answerNext({ status: 400 });
  expect(await sweep()).toMatchObject([{ status: 'failed' }]);
  expect(await sweep()).toEqual([]);
  await rename('found');
  expect(await sweep()).toMatchObject([
    { status: 'failed', runs: [{ reason: expect.stringContaining('raised.steps.ticket.json.id') }] },
  ]);
});

describe('a secret that do received', () => {
  const TOKEN = 'session-token-of-the-ticket';
  const text = (): string => `
rules:
  - id: lost
    on: { schedule: "0 0 1 1 *", for_each: devices }
    if: device.name.startsWith("lost")
    when: becomes_true
    do:
      - http_request: { method: POST, url: "${chat.url}/tickets" }
        id: ticket
    on_clear:
      - http_request:
          method: POST
          url: "${chat.url}/close/{{ raised.steps.ticket.json.id }}"
          headers: { Authorization: "Bearer {{ raised.steps.ticket.json.access_token }}" }
`;
  const answer = { status: 201, body: JSON.stringify({ id: 4711, access_token: TOKEN }) };

  test('is sent by on_clear, and is nowhere in clear', async () => {
    const { sweep, rename, client, log } = await begin(text());
    await rename('lost');
    chat.answerNext(answer, { status: 200, body: `{"echo": "${TOKEN}"}` });
    await sweep();
    await rename('found');
    const [cleared] = await sweep();
    expect(cleared).toMatchObject({ runs: [{ steps: [{ output: { json: { echo: '[redacted]' } } }] }] });
    expect(chat.requests()[1]).toMatchObject({
      path: '/close/4711',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(await everythingIn(client)).not.toContain(TOKEN);
    expect(log()).not.toContain(TOKEN);
  });

  test('and that cannot be decrypted any more is missing: never is "[redacted]" sent', async () => {
    const { sweep, rename, client } = await begin(text());
    await rename('lost');
    chat.answerNext(answer);
    const [event] = await sweep();
    // As when the API key of the account has changed.
    const key = `mdm-reflex:raised-outputs:${event?.id ?? ''}.lost`;
    const kept = z.looseObject({ ticket: z.looseObject({ sealed: z.string() }) });
    // The trace says that the run has ended a moment before.
    const outputs = await until('the outputs are kept', async () => (await client.get(key)) ?? undefined);
    const { ticket } = kept.parse(JSON.parse(outputs));
    await client.set(key, JSON.stringify({ ticket: { ...ticket, sealed: `AAAA${ticket.sealed.slice(4)}` } }));
    await rename('found');
    expect(await sweep()).toMatchObject([
      {
        status: 'failed',
        runs: [{ reason: expect.stringContaining('raised.steps.ticket.json.access_token') }],
      },
    ]);
    expect(chat.requests()).toHaveLength(1);
  });
});

describe('a dry run', () => {
  test('has its own edges: the live rule acts on every device that matches then', async () => {
    const { sweep, rename, env, service } = await begin(rules('mode: dry_run'));
    await rename('lost');
    expect(await sweep()).toMatchObject([{ runs: [{ steps: [{ status: 'skipped' }] }] }]);
    expect(await sweep()).toEqual([]);
    expect(tickets()).toEqual([]);

    await writeFile(env['RULES_PATH'] ?? '', rules());
    await service.reloadRules();
    chat.answerNext(created(1));
    await sweep();
    expect(tickets()).toEqual(['/tickets']);
    await sweep();
    expect(tickets()).toHaveLength(1);
  });

  test('of READ_ONLY as well', async () => {
    const { sweep, rename, restartService } = await begin(rules(), { READ_ONLY: '1' });
    await rename('lost');
    expect(await sweep()).toHaveLength(1);
    await restartService({ READ_ONLY: '0' });
    await sweep();
    expect(tickets()).toEqual(['/tickets']);
  });
});

test('a device that has left the account is dropped without on_clear', async () => {
  const { sweep, rename, client, simulator } = await begin(rules());
  await rename('lost');
  chat.answerNext(created(1));
  await sweep();
  const response = await fetch(`${simulator.url}/devices/${DEVICE}`, {
    method: 'DELETE',
    headers: { Authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}` },
  });
  expect(response.status).toBeLessThan(300);
  expect(await sweep()).toEqual([]);
  expect(await openRaisedDevices(singleShard(client), RETENTION).list()).toEqual([]);
  expect(tickets()).toEqual(['/tickets']);
});

test('the command line lists the raised devices and resets them', async () => {
  const { sweep, rename, client } = await begin(rules());
  await rename('lost');
  await sweep();
  expect(await listRaised(openShards(client), undefined, false)).toMatch(/default +lost +121 +.*lost/);
  expect(
    z.array(z.unknown()).parse(JSON.parse(await listRaised(openShards(client), 'lost', true))),
  ).toHaveLength(1);
  await expect(
    resetRaised(openShards(client), {
      rule: 'lost',
      account: 'default',
      device: '999',
      all: false,
      dryRun: false,
    }),
  ).rejects.toThrow(/not raised/);
  expect(
    await resetRaised(openShards(client), {
      rule: 'lost',
      account: 'default',
      device: '121',
      all: false,
      dryRun: false,
    }),
  ).toContain('1 device');
  chat.answerNext(created(2));
  expect(await sweep()).toHaveLength(1);
});
