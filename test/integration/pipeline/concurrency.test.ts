import { afterEach, describe, expect, test } from '@jest/globals';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { startChat } from '../../support/chat.js';
import type { Chat } from '../../support/chat.js';
import { WEBHOOK_TOKEN, startWorld } from '../../support/service.js';
import type { World } from '../../support/service.js';
import { until } from '../../support/until.js';

let world: World | undefined;
let service: Chat | undefined;

afterEach(async () => {
  await world?.stop();
  await service?.close();
  world = undefined;
  service = undefined;
});

const DEVICE = { id: 54, serial_number: 'C02AAA11BBB2' };

async function post(type: string, number: number, device: unknown = DEVICE): Promise<void> {
  const answer = await fetch(`${world?.service.url ?? ''}/webhooks/simplemdm`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Webhook-Token': WEBHOOK_TOKEN },
    body: JSON.stringify({
      type,
      at: new Date(Date.UTC(2026, 0, 1, 8, 0, number)).toISOString(),
      data: { device, number },
    }),
  });
  expect(answer.status).toBe(202);
}

async function tracesOf(type: string, count: number): Promise<Trace[]> {
  return until(`${count} events ${type} have come to rest`, async () => {
    const { client } = world ?? {};
    if (client === undefined) return undefined;
    const { events } = await findEvents(client, { type, limit: 100 });
    const atRest = events.filter(({ status }) => status === 'completed' || status === 'failed');
    if (atRest.length < count) return undefined;
    const traces = await Promise.all(atRest.map(({ id }) => findTrace(client, id)));
    return traces.flatMap((trace) => trace ?? []).sort((a, b) => a.at.localeCompare(b.at));
  });
}

const numbers = (): string[] => (service?.requests() ?? []).map(({ path }) => path);

async function begin(about: string, steps: string, env: Record<string, string> = {}): Promise<void> {
  service = await startChat();
  world = await startWorld({
    rules: `
rules:
  - id: in-line
    on: acme.event
    ${about}
    do:
${steps.replaceAll('URL', service.url)}`,
    env,
  });
}

const BEGIN_AND_END = `
      - http_request: { method: POST, url: "URL/begin-{{ event.data.number }}" }
      - wait: 1s
      - http_request: { method: POST, url: "URL/end-{{ event.data.number }}" }`;

describe('runs of one device', () => {
  test('queue up in the order in which the events happened, whatever order they come in', async () => {
    await begin('enabled: true', BEGIN_AND_END);
    await post('acme.event', 1);
    await until('the first has begun', () => numbers().length === 1);
    for (const number of [4, 3, 2]) await post('acme.event', number);
    await tracesOf('acme.event', 4);
    expect(numbers()).toEqual([
      '/begin-1',
      '/end-1',
      '/begin-2',
      '/end-2',
      '/begin-3',
      '/end-3',
      '/begin-4',
      '/end-4',
    ]);
  });

  test('do not wait for those of another device', async () => {
    await begin('enabled: true', BEGIN_AND_END);
    await post('acme.event', 1);
    await post('acme.event', 2, { id: 56 });
    await tracesOf('acme.event', 2);
    expect(numbers().slice(0, 2).sort()).toEqual(['/begin-1', '/begin-2']);
  });

  test('do wait where the key is the same', async () => {
    await begin('concurrency: { key: "all" }', BEGIN_AND_END);
    await post('acme.event', 1);
    await until('the first has begun', () => numbers().length === 1);
    await post('acme.event', 2, { id: 56 });
    await tracesOf('acme.event', 2);
    expect(numbers()).toEqual(['/begin-1', '/end-1', '/begin-2', '/end-2']);
  });

  test('single: an event is passed by while a run is under way, and its trace says so', async () => {
    await begin('concurrency: { mode: single }', BEGIN_AND_END);
    await post('acme.event', 1);
    await until('the first has begun', () => numbers().length === 1);
    await post('acme.event', 2);
    const [, second] = await tracesOf('acme.event', 2);
    expect(numbers()).toEqual(['/begin-1', '/end-1']);
    expect(second?.runs[0]).toMatchObject({
      status: 'completed',
      reason: expect.stringMatching(/^another run of the rule is under way for the same device/),
      steps: [{ status: 'skipped' }, { status: 'skipped' }, { status: 'skipped' }],
    });
    await post('acme.event', 3);
    await tracesOf('acme.event', 3);
    expect(numbers().slice(2)).toEqual(['/begin-3', '/end-3']);
  });

  test('restart: the newer takes the place of the older, which does no further step', async () => {
    await begin('concurrency: { mode: restart }', BEGIN_AND_END);
    await post('acme.event', 1);
    await until('the first has begun', () => numbers().length === 1);
    await post('acme.event', 2);
    const [first] = await tracesOf('acme.event', 2);
    expect(numbers()).toEqual(['/begin-1', '/begin-2', '/end-2']);
    expect(first?.runs[0]?.steps.map(({ status }) => status)).toEqual(['completed', 'skipped', 'skipped']);
    expect(first?.runs[0]?.steps[1]?.reason).toMatch(
      /^a later run of the rule for the same device took its place/,
    );
  });

  test('one that failed lets the next go on', async () => {
    await begin(
      'enabled: true',
      '\n      - http_request: { method: POST, url: "URL/{{ event.data.number }}" }',
    );
    service?.answerNext({ status: 400 });
    for (const number of [1, 2, 3]) await post('acme.event', number);
    const traces = await tracesOf('acme.event', 3);
    expect(traces.map(({ status }) => status)).toEqual(['failed', 'completed', 'completed']);
    expect(numbers()).toEqual(['/1', '/2', '/3']);
  });
});

test('events of a device that wait together are looked at in the order in which they happened', async () => {
  await begin(
    'enabled: true',
    '\n      - http_request: { method: POST, url: "URL/{{ event.data.number }}" }',
    {
      WORKER_CONCURRENCY: '3',
    },
  );
  // A rule for each would be decided in any order; one worker away, they all wait.
  await Promise.all([5, 1, 4, 2, 3].map((number) => post('acme.event', number)));
  await tracesOf('acme.event', 5);
  expect(numbers()).toEqual(['/1', '/2', '/3', '/4', '/5']);
});
