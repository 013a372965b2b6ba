import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { answerApproval } from '../../../src/cli/approvals.js';
import { replayEvent } from '../../../src/cli/events.js';
import { replayEvents } from '../../../src/cli/replay-events.js';
import { readSettings } from '../../../src/config/settings.js';
import { enqueueEvents } from '../../../src/coordination/enqueue-events.js';
import { openApprovals } from '../../../src/coordination/approvals.js';
import { openShardStores } from '../../../src/coordination/shard-stores.js';
import type { ShardStore } from '../../../src/coordination/shard-stores.js';
import type { Event } from '../../../src/events/envelope.js';
import type { Lane } from '../../../src/queues/jobs.js';
import { retentionOf } from '../../../src/queues/retention.js';
import { openShards } from '../../../src/queues/shards.js';
import { dialogOf } from '../../support/dialog.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';

const world = useWorld();
const chat = useChat();

function storeOf(current: World): ShardStore {
  const settings = readSettings(current.env, []);
  const stores = openShardStores(openShards(current.client), retentionOf(settings), (text) => text);
  current.beforeStop(() => stores.close());
  return stores.of('default');
}

function eventOf(number: number): Event {
  const at = new Date().toISOString();
  return {
    id: createHash('sha256').update(`event ${number}`).digest('hex'),
    account: 'default',
    type: 'device.changed_group',
    at,
    data: { device: { id: 121, udid: `u${number}`, serial_number: `s${number}` } },
    receivedAt: at,
    source: 'webhook',
  };
}

/** The lane of a run by its data and by the priority that BullMQ uses; undefined when there is no such run. */
async function laneOfRun({ runs }: ShardStore, run: string): Promise<unknown> {
  const job = await runs.getJob(run);
  return job && { lane: job.data.lane ?? 'interactive', priority: job.priority };
}
const INTERACTIVE = { lane: 'interactive', priority: 0 };
const BULK = { lane: 'bulk', priority: 1 };

test('the backlogs of each queue and lane are in the metrics, with the age of their oldest job', async () => {
  const startedAt = Date.now();
  // No worker: what is not in flight stays in the backlog.
  const current = await world.start({ rules: 'rules: []', roles: ['receiver'] });
  const store = storeOf(current);
  const gauge = (name: string, queue: string, lane: Lane): Promise<number> =>
    current.metric(`mdm_reflex_backlog_${name}{queue="${queue}",lane="${lane}"}`);
  for (const lane of ['interactive', 'bulk'] as const) {
    expect(await gauge('jobs', 'events', lane)).toBe(0);
    expect(await gauge('oldest_age_seconds', 'events', lane)).toBeNaN();
  }
  await enqueueEvents(
    Array.from({ length: 30 }, (_, n) => eventOf(n)),
    store,
  );
  await enqueueEvents(
    Array.from({ length: 10 }, (_, n) => eventOf(100 + n)),
    store,
    'bulk',
  );
  // 24 interactive and 8 bulk jobs of an account are in flight.
  expect(await gauge('jobs', 'events', 'interactive')).toBe(6);
  expect(await gauge('jobs', 'events', 'bulk')).toBe(2);
  expect(await gauge('jobs', 'runs', 'interactive')).toBe(0);
  expect(await gauge('oldest_age_seconds', 'runs', 'bulk')).toBeNaN();
  for (const lane of ['interactive', 'bulk'] as const) {
    const first = await until('the oldest job has an age', async () => {
      const age = await gauge('oldest_age_seconds', 'events', lane);
      return age > 0 && age;
    });
    expect(first).toBeLessThanOrEqual((Date.now() - startedAt) / 1000);
    await until('it grows', async () => (await gauge('oldest_age_seconds', 'events', lane)) > first);
  }
});

test('a run that was replayed with many others becomes interactive when a person replays it', async () => {
  const current = await world.start({
    rules: `
rules:
  - id: label
    on: device.changed_group
    do: [set_attribute: { name: department, value: label }]
`,
  });
  const store = storeOf(current);
  const shards = openShards(current.client);
  const settings = readSettings(current.env, []);
  current.simulator.addFault({ kind: 'status', status: 422, method: 'PUT' });
  const event = eventOf(1);
  const run = `${event.id}.label`;
  const attempts = (): number => current.simulator.calls().filter(({ method }) => method === 'PUT').length;
  const hasFailed = (times: number): Promise<unknown> =>
    until(
      'the run has failed',
      async () => attempts() === times && (await (await store.runs.getJob(run))?.isFailed()),
    );

  await enqueueEvents([event], store);
  await hasFailed(1);
  expect(await laneOfRun(store, run)).toEqual(INTERACTIVE);
  await replayEvents({ status: 'failed', yes: true }, { shards, settings, dialog: dialogOf().dialog });
  await hasFailed(2);
  expect(await laneOfRun(store, run)).toEqual(BULK);
  await replayEvent(shards, settings, event.id, { everything: false, json: false });
  await hasFailed(3);
  expect(await laneOfRun(store, run)).toEqual(INTERACTIVE);
});

test('a bulk run becomes interactive when a person approves it', async () => {
  const current = await world.start({
    rules: `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", group_wait: 1s }
rules:
  - id: label
    on: device.changed_group
    approve: { channel: desk, timeout: 1h }
    do: [set_attribute: { name: department, value: label }]
`,
    env: { HOOK_URL: chat.url },
  });
  const store = storeOf(current);
  const shards = openShards(current.client);
  const settings = readSettings(current.env, []);
  // A run that fails keeps its job, and so its lane.
  current.simulator.addFault({ kind: 'status', status: 422, method: 'PUT' });
  const event = eventOf(1);
  const run = `${event.id}.label`;
  await enqueueEvents([event], store, 'bulk');
  const question = await until('the run asks', async () => {
    const [first] = await openApprovals(shards.home).list();
    return (await (await store.runs.getJob(run))?.isDelayed()) === true && first;
  });
  expect(await laneOfRun(store, run)).toEqual(BULK);
  await answerApproval(shards, settings, question.id, 'approved', 'Kim');
  await until('the run has failed', async () => (await store.runs.getJob(run))?.isFailed());
  expect(await laneOfRun(store, run)).toEqual(INTERACTIVE);
});
