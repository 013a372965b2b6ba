import { Queue } from 'bullmq';
import { describe, expect, test } from '@jest/globals';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { startService } from '../../../src/main.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import { RUNS, runId } from '../../../src/queues/queues.js';
import { collectLog } from '../../support/log-lines.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';

const world = useWorld();
const service = useChat();

const DEVICE = { id: 54, serial_number: 'C02AAA11BBB2' };

const post = (type: string, number: number, device: unknown = DEVICE): Promise<void> =>
  world.post({
    type,
    at: new Date(Date.UTC(2026, 0, 1, 8, 0, number)).toISOString(),
    data: { device, number },
  });

async function tracesOf(type: string, count: number): Promise<Trace[]> {
  return until(`${count} events ${type} have come to rest`, async () => {
    const { client } = world;
    const { events } = await findEvents(client, { type, limit: 100 });
    const atRest = events.filter(({ status }) => status === 'completed' || status === 'failed');
    if (atRest.length < count) return undefined;
    const traces = await Promise.all(atRest.map(({ id }) => findTrace(client, id)));
    return traces.flatMap((trace) => trace ?? []).sort((a, b) => a.at.localeCompare(b.at));
  });
}

const numbers = (): string[] => service.requests().map(({ path }) => path);

async function begin(about: string, steps: string, env: Record<string, string> = {}): Promise<void> {
  await world.start({
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
    const reason = expect.stringMatching(/^a later run of the rule for the same device took its place/);
    expect(first?.runs[0]).toMatchObject({ reason, steps: [{}, { reason }, { reason }] });
  });

  test('one that failed lets the next go on', async () => {
    await begin(
      'enabled: true',
      '\n      - http_request: { method: POST, url: "URL/{{ event.data.number }}" }',
    );
    service.answerNext({ status: 400 });
    for (const number of [1, 2, 3]) await post('acme.event', number);
    const traces = await tracesOf('acme.event', 3);
    expect(traces.map(({ status }) => status)).toEqual(['failed', 'completed', 'completed']);
    expect(numbers()).toEqual(['/1', '/2', '/3']);
  });
});

test('events of a device that wait together are looked at in the order in which they happened', async () => {
  const rules = `
rules:
  - id: in-line
    on: acme.event
    do:
      - http_request: { method: POST, url: "${service.url}/{{ event.data.number }}" }
`;
  await world.start({ rules, roles: ['receiver'] });
  for (const number of [5, 1, 4, 2, 3]) await post('acme.event', number);
  // Now that all of them wait, somebody comes who looks at them, several at a time.
  const worker = await startService({
    env: { ...world.env, PORT: '0' },
    roles: ['worker'],
    logTo: collectLog().logTo,
  });
  try {
    await tracesOf('acme.event', 5);
    expect(numbers()).toEqual(['/1', '/2', '/3', '/4', '/5']);
  } finally {
    await worker.stop();
  }
});

describe('a key that cannot be filled in', () => {
  const keyed = (key: string): string => `
rules:
  - id: keyed
    on: acme.event
    concurrency: { key: "${key}" }
    do:
      - http_request: { method: POST, url: "URL/keyed-{{ event.data.number }}" }
  - id: plain
    on: acme.event
    do:
      - http_request: { method: POST, url: "URL/plain-{{ event.data.number }}" }
`;

  test('is told of its rule, and the other rules go on', async () => {
    await world.start({ rules: keyed('{{ event.data.owner }}').replaceAll('URL', service.url) });
    await post('acme.event', 1);
    const trace = await world.settled('acme.event', ['failed']);
    expect(trace.decisions).toMatchObject([
      {
        rule: 'keyed',
        verdict: 'error',
        reason: expect.stringMatching(
          /^concurrency\.key "\{\{ event\.data\.owner \}\}" cannot be filled in: undefined variable/,
        ),
      },
      { rule: 'plain', verdict: 'matched' },
    ]);
    await until('the plain rule has run', () => numbers().includes('/plain-1'));
  });

  test('that is empty is no key: runs do not share a line for it', async () => {
    await world.start({
      rules: keyed('{{ event.data.owner | default: blank }}').replaceAll('URL', service.url),
    });
    for (const number of [1, 2]) await post('acme.event', number, {});
    await tracesOf('acme.event', 2);
    expect(
      numbers()
        .filter((path) => path.startsWith('/keyed'))
        .sort(),
    ).toEqual(['/keyed-1', '/keyed-2']);
  });
});

test('restart: an older event that comes late does not take the place of the newer', async () => {
  await begin('concurrency: { mode: restart }', BEGIN_AND_END);
  await post('acme.event', 5);
  await tracesOf('acme.event', 1);
  await post('acme.event', 2);
  const [older] = await tracesOf('acme.event', 2);
  expect(numbers()).toEqual(['/begin-5', '/end-5']);
  expect(older?.runs[0]?.reason).toMatch(/^a later run of the rule/);
});

test('restart: the older does not go on with its list either', async () => {
  await begin(
    'concurrency: { mode: restart }',
    `
      - wait: 1s
        for_each: "[1, 2, 3, 4, 5, 6, 7, 8]"
        id: waits
      - http_request: { method: POST, url: "URL/end-{{ event.data.number }}" }`,
  );
  await post('acme.event', 1);
  await until('the first waits', () => world.settled('acme.event', ['waiting']));
  await post('acme.event', 2);
  const [first] = await tracesOf('acme.event', 2);
  expect(numbers()).toEqual(['/end-2']);
  expect(first?.runs[0]?.steps[0]).toMatchObject({
    status: 'skipped',
    reason: expect.stringMatching(/^a later run/),
  });
});

test('restart: a run that waits for long hears at once that its place was taken', async () => {
  await begin('concurrency: { mode: restart }', BEGIN_AND_END.replace('wait: 1s', 'wait: 1h'));
  await post('acme.event', 1);
  await until('the first waits', () => world.settled('acme.event', ['waiting']));
  await post('acme.event', 2);
  const [first] = await tracesOf('acme.event', 1);
  expect(first?.runs[0]?.steps[1]?.reason).toMatch(/^a later run of the rule/);
});

test('single: a run whose job is gone does not keep the others out for ever', async () => {
  await begin('concurrency: { mode: single }', BEGIN_AND_END.replace('wait: 1s', 'wait: 1h'));
  await post('acme.event', 1);
  await until('the first has begun', () => numbers().length === 1);
  const { client } = world;
  const waits = await until('it waits', () => world.settled('acme.event', ['waiting']));
  const queue = new Queue(RUNS, { connection: client, prefix: KEY_PREFIX });
  await (await queue.getJob(runId(waits.id, 'in-line')))?.remove();
  await queue.close();
  await post('acme.event', 2);
  await until('the second has begun', () => numbers().includes('/begin-2'));
});

test('an event that waits for a fact is not overtaken by a later one of the device', async () => {
  await world.start({
    rules: `
rules:
  - id: needs-apps
    on: device.*
    if: size(apps) >= 0
    do:
      - http_request: { method: POST, url: "${service.url}/{{ event.data.number }}" }
`,
  });
  const { id } = world.simulator.enroll({ kind: 'macbook' });
  await world.settled('device.enrolled', ['failed']);
  world.simulator.addFault({
    method: 'GET',
    path: '/devices/*/installed_apps',
    kind: 'status',
    status: 500,
    times: 6,
  });
  await post('device.changed_group', 1, { id });
  await until(
    'the first waits',
    async () =>
      (
        await findEvents(world.client, {
          type: 'device.changed_group',
          status: 'waiting',
          limit: 5,
        })
      ).events.length === 1,
  );
  await post('device.changed_group', 2, { id });
  await tracesOf('device.changed_group', 2);
  expect(numbers()).toEqual(['/1', '/2']);
});

test('three events close upon each other never change places, however often', async () => {
  await begin(
    'enabled: true',
    '\n      - http_request: { method: POST, url: "URL/{{ event.data.device.id }}/{{ event.data.number }}" }',
  );
  for (let id = 1; id <= 50; id += 1) {
    service.answerNext({ status: 400 });
    for (const number of [1, 2, 3]) await post('acme.event', number, { id });
    const own = (): string[] => numbers().filter((path) => path.startsWith(`/${id}/`));
    await until('all three are done', () => own().length === 3);
    expect(own()).toEqual([`/${id}/1`, `/${id}/2`, `/${id}/3`]);
  }
}, 120_000);

test('a burst of events of one device is worked off without a pause between them', async () => {
  await world.start({
    rules: `rules: [{ id: note, on: acme.event, do: [http_request: { method: POST, url: "${service.url}/{{ event.data.number }}" }] }]`,
  });
  const count = 100;
  const all = Array.from({ length: count }, (_unused, index) => index + 1);
  await Promise.all(all.map((number) => post('acme.event', number)));
  // With a pause of a fifth of a second between two of them it would take longer.
  await until('all are done', () => numbers().length === count, 15_000);
});
