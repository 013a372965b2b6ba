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
import { openShards } from '../../../src/queues/shards.js';

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
  return until(`${count} events ${type} have ended`, async () => {
    const { client } = world;
    const { events } = await findEvents(openShards(client), { type, limit: 100 });
    const ended = events.filter(({ status }) => status === 'completed' || status === 'failed');
    if (ended.length < count) return undefined;
    const traces = await Promise.all(ended.map(({ id }) => findTrace(openShards(client), id)));
    return traces.flatMap((trace) => trace ?? []).sort((a, b) => a.at.localeCompare(b.at));
  });
}

const paths = (): string[] => service.requests().map(({ path }) => path);

async function begin(about: string, steps: string, env: Record<string, string> = {}): Promise<void> {
  await world.start({
    rules: `
rules:
  - id: ordered
    on: acme.event
    ${about}
    do:
${steps.replaceAll('URL', service.url)}`,
    env,
  });
}

const START_AND_END = `
      - http_request: { method: POST, url: "URL/start-{{ event.data.number }}" }
      - wait: 1s
      - http_request: { method: POST, url: "URL/end-{{ event.data.number }}" }`;

describe('runs of one device', () => {
  test('run in the order of their events, in whatever order the webhooks arrive', async () => {
    await begin('enabled: true', START_AND_END);
    await post('acme.event', 1);
    await until('the first run has started', () => paths().length === 1);
    for (const number of [4, 3, 2]) await post('acme.event', number);
    await tracesOf('acme.event', 4);
    expect(paths()).toEqual([
      '/start-1',
      '/end-1',
      '/start-2',
      '/end-2',
      '/start-3',
      '/end-3',
      '/start-4',
      '/end-4',
    ]);
  });

  test('do not wait for runs of another device', async () => {
    await begin('enabled: true', START_AND_END);
    await post('acme.event', 1);
    await post('acme.event', 2, { id: 56 });
    await tracesOf('acme.event', 2);
    expect(paths().slice(0, 2).sort()).toEqual(['/start-1', '/start-2']);
  });

  test('wait for runs of another device with the same key', async () => {
    await begin('concurrency: { key: "all" }', START_AND_END);
    await post('acme.event', 1);
    await until('the first run has started', () => paths().length === 1);
    await post('acme.event', 2, { id: 56 });
    await tracesOf('acme.event', 2);
    expect(paths()).toEqual(['/start-1', '/end-1', '/start-2', '/end-2']);
  });

  test('single: a run is skipped while another one is in progress, and its trace tells why', async () => {
    await begin('concurrency: { mode: single }', START_AND_END.replace('wait: 1s', 'wait: 3s'));
    await post('acme.event', 1);
    await until('the first run has started', () => paths().length === 1);
    await post('acme.event', 2);
    const [, second] = await tracesOf('acme.event', 2);
    expect(paths()).toEqual(['/start-1', '/end-1']);
    expect(second?.runs[0]).toMatchObject({
      status: 'completed',
      reason: expect.stringMatching(
        /^another run of the rule for the same device is in progress \(event [0-9a-f]{12}\)$/,
      ),
      steps: [{ status: 'skipped' }, { status: 'skipped' }, { status: 'skipped' }],
    });
    await post('acme.event', 3);
    await tracesOf('acme.event', 3);
    expect(paths().slice(2)).toEqual(['/start-3', '/end-3']);
  });

  test('restart: a newer run supersedes the older one, which skips its remaining steps', async () => {
    await begin('concurrency: { mode: restart }', START_AND_END.replace('wait: 1s', 'wait: 3s'));
    await post('acme.event', 1);
    await until('the first run has started', () => paths().length === 1);
    await post('acme.event', 2);
    const [first] = await tracesOf('acme.event', 2);
    expect(paths()).toEqual(['/start-1', '/start-2', '/end-2']);
    expect(first?.runs[0]?.steps.map(({ status }) => status)).toEqual(['completed', 'skipped', 'skipped']);
    const reason = expect.stringMatching(/^superseded by a later run of the rule for the same device$/);
    expect(first?.runs[0]).toMatchObject({ reason, steps: [{}, { reason }, { reason }] });
  });

  test('a failed run releases its slot', async () => {
    await begin(
      'enabled: true',
      '\n      - http_request: { method: POST, url: "URL/{{ event.data.number }}" }',
    );
    service.answerNext({ status: 400 });
    for (const number of [1, 2, 3]) await post('acme.event', number);
    const traces = await tracesOf('acme.event', 3);
    expect(traces.map(({ status }) => status)).toEqual(['failed', 'completed', 'completed']);
    expect(paths()).toEqual(['/1', '/2', '/3']);
  });
});

test('queued events of a device are processed in the order in which they happened', async () => {
  const rules = `
rules:
  - id: ordered
    on: acme.event
    do:
      - http_request: { method: POST, url: "${service.url}/{{ event.data.number }}" }
`;
  await world.start({ rules, roles: ['receiver'] });
  for (const number of [5, 1, 4, 2, 3]) await post('acme.event', number);
  // All events are queued before the first worker starts. It processes several at a time.
  const worker = await startService({
    env: { ...world.env, PORT: '0' },
    roles: ['worker'],
    logTo: collectLog().logTo,
  });
  try {
    await tracesOf('acme.event', 5);
    expect(paths()).toEqual(['/1', '/2', '/3', '/4', '/5']);
  } finally {
    await worker.stop();
  }
});

describe('a concurrency key', () => {
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

  test('that cannot be rendered fails its rule, and the other rules run', async () => {
    await world.start({ rules: keyed('{{ event.data.owner }}').replaceAll('URL', service.url) });
    await post('acme.event', 1);
    const trace = await world.settled('acme.event', ['failed']);
    expect(trace.decisions).toMatchObject([
      {
        rule: 'keyed',
        verdict: 'error',
        reason: expect.stringMatching(
          /^concurrency\.key "\{\{ event\.data\.owner \}\}" cannot be rendered: undefined variable/,
        ),
      },
      { rule: 'plain', verdict: 'matched' },
    ]);
    await until('the plain rule has run', () => paths().includes('/plain-1'));
  });

  test('that is empty is no key: the runs do not wait for each other', async () => {
    await world.start({
      rules: keyed('{{ event.data.owner | default: blank }}').replaceAll('URL', service.url),
    });
    for (const number of [1, 2]) await post('acme.event', number, {});
    await tracesOf('acme.event', 2);
    expect(
      paths()
        .filter((path) => path.startsWith('/keyed'))
        .sort(),
    ).toEqual(['/keyed-1', '/keyed-2']);
  });
});

test('restart: the run of an older event that arrives late is skipped', async () => {
  await begin('concurrency: { mode: restart }', START_AND_END);
  await post('acme.event', 5);
  await tracesOf('acme.event', 1);
  await post('acme.event', 2);
  const [older] = await tracesOf('acme.event', 2);
  expect(paths()).toEqual(['/start-5', '/end-5']);
  expect(older?.runs[0]?.reason).toMatch(/^superseded by a later run of the rule/);
});

test('restart: a superseded run skips the remaining items of its list', async () => {
  await begin(
    'concurrency: { mode: restart }',
    `
      - wait: 1s
        for_each: "[1, 2, 3, 4]"
        id: waits
      - http_request: { method: POST, url: "URL/end-{{ event.data.number }}" }`,
  );
  await post('acme.event', 1);
  await until('the first run waits', () => world.settled('acme.event', ['waiting']));
  await post('acme.event', 2);
  const [first] = await tracesOf('acme.event', 2);
  expect(paths()).toEqual(['/end-2']);
  expect(first?.runs[0]?.steps[0]).toMatchObject({
    status: 'skipped',
    reason: expect.stringMatching(/^superseded by a later run/),
  });
});

test('restart: a superseded run that waits ends without delay', async () => {
  await begin('concurrency: { mode: restart }', START_AND_END.replace('wait: 1s', 'wait: 1h'));
  await post('acme.event', 1);
  await until('the first run waits', () => world.settled('acme.event', ['waiting']));
  await post('acme.event', 2);
  const [first] = await tracesOf('acme.event', 1);
  expect(first?.runs[0]?.steps[1]?.reason).toMatch(/^superseded by a later run of the rule/);
});

test('single: a run whose job was removed does not block its group', async () => {
  await begin('concurrency: { mode: single }', START_AND_END.replace('wait: 1s', 'wait: 1h'));
  await post('acme.event', 1);
  await until('the first run has started', () => paths().length === 1);
  const { client } = world;
  const waits = await until('the run waits', () => world.settled('acme.event', ['waiting']));
  const queue = new Queue(RUNS, { connection: client, prefix: KEY_PREFIX });
  await (await queue.getJob(runId(waits.id, 'ordered')))?.remove();
  await queue.close();
  await post('acme.event', 2);
  await until('the second run has started', () => paths().includes('/start-2'));
});

test('a later event of the device does not overtake an event that waits for a fact', async () => {
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
    'the first event waits',
    async () =>
      (
        await findEvents(openShards(world.client), {
          type: 'device.changed_group',
          status: 'waiting',
          limit: 5,
        })
      ).events.length === 1,
  );
  await post('device.changed_group', 2, { id });
  await tracesOf('device.changed_group', 2);
  expect(paths()).toEqual(['/1', '/2']);
});

test('three events in quick succession keep their order, 50 times', async () => {
  await begin(
    'enabled: true',
    '\n      - http_request: { method: POST, url: "URL/{{ event.data.device.id }}/{{ event.data.number }}" }',
  );
  const ids = Array.from({ length: 50 }, (_unused, index) => index + 1);
  const postThree = async (id: number): Promise<void> => {
    service.answerNext({ status: 400 });
    for (const number of [1, 2, 3]) await post('acme.event', number, { id });
    const own = (): string[] => paths().filter((path) => path.startsWith(`/${id}/`));
    await until('all three runs are done', () => own().length === 3);
    expect(own()).toEqual([`/${id}/1`, `/${id}/2`, `/${id}/3`]);
  };
  // Five devices at a time.
  while (ids.length > 0) await Promise.all(ids.splice(0, 5).map(postThree));
});

test('a burst of events of one device is processed without pauses', async () => {
  await world.start({
    rules: `rules: [{ id: note, on: acme.event, do: [http_request: { method: POST, url: "${service.url}/{{ event.data.number }}" }] }]`,
  });
  const count = 100;
  const all = Array.from({ length: count }, (_unused, index) => index + 1);
  const durationOf = async (deviceOf: (number: number) => number): Promise<number> => {
    const before = paths().length;
    const startedAt = performance.now();
    await Promise.all(all.map((number) => post('acme.event', number, { id: deviceOf(number) })));
    await until('all runs are done', () => paths().length === before + count);
    return performance.now() - startedAt;
  };
  const inOrder = await durationOf(() => 54);
  const apart = await durationOf((number) => 1000 + number);
  // A pause of 200 ms between two events would take longer.
  expect(inOrder).toBeLessThan(Math.max(15_000, 10 * apart));
});
