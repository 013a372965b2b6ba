import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { replayEvents } from '../../../src/cli/replay-events.js';
import { readSettings } from '../../../src/config/settings.js';
import { openShardStores } from '../../../src/coordination/shard-stores.js';
import { findEvents } from '../../../src/journal/find-events.js';
import type { EventFilter } from '../../../src/journal/find-events.js';
import type { EventSummary } from '../../../src/journal/trace.js';
import { retentionOf } from '../../../src/queues/retention.js';
import { openShards } from '../../../src/queues/shards.js';
import type { RecordedCall } from '../../../simulator/start.js';
import { dialogOf } from '../../support/dialog.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';

const world = useWorld();

const RULES = `
rules:
  - id: label
    on: device.changed_group
    limit: { runs: 10000, per: 1h }
    do:
      - log: hello
      - set_attribute: { name: department, value: label }
  - id: greet
    on: device.changed_group
    do: [{ log: hello }]
`;

const report = z.strictObject({
  matched: z.int(),
  replayed: z.int(),
  runs: z.int(),
  skipped: z.record(z.string(), z.strictObject({ count: z.int(), first: z.array(z.string()) })),
  next: z.strictObject({ left: z.int(), since: z.string(), until: z.string() }).nullable(),
});

const replay = (options: Record<string, unknown>, { dialog } = dialogOf()): Promise<string> =>
  replayEvents(options, {
    shards: openShards(world.client),
    settings: readSettings(world.env, []),
    dialog,
  });
const replayAsJson = async (
  options: Record<string, unknown>,
  dialog = dialogOf(),
): Promise<z.output<typeof report>> =>
  report.parse(JSON.parse(await replay({ ...options, json: true }, dialog)));

async function list(filter: Omit<EventFilter, 'limit'> = {}): Promise<EventSummary[]> {
  const events: EventSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await findEvents(openShards(world.client), { ...filter, limit: 100, cursor });
    events.push(...page.events);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return events;
}
/** Events of which the worst run has this status. A list has all events of which one run has it. */
const eventsWith = async (status: EventSummary['status']): Promise<EventSummary[]> =>
  (await list({ status })).filter((event) => event.status === status);
const withStatus = async (status: EventSummary['status']): Promise<number> =>
  (await eventsWith(status)).length;

const changed = (device: number, at = new Date().toISOString()) => ({
  type: 'device.changed_group',
  at,
  data: { device: { id: device, udid: `u${device}`, serial_number: `s${device}` } },
});
const writes = (): RecordedCall[] => world.simulator.calls().filter(({ method }) => method === 'PUT');

/** A service whose events of this many devices have failed, each at the second step of one rule. */
async function beginWithFailures(count: number, env: Record<string, string> = {}): Promise<World> {
  const current = await world.start({
    rules: RULES,
    simulator: { fleet: { devices: count + 10, seed: 1 } },
    env,
  });
  current.simulator.addFault({ kind: 'status', status: 422, method: 'PUT' });
  for (let n = 0; n < count; n += 1) await current.post(changed(10_000 + n));
  await until('all events have failed', async () => (await withStatus('failed')) === count);
  current.simulator.clearFaults();
  current.simulator.clearCalls();
  return current;
}

test('an event goes first while many replays wait', async () => {
  const count = 200;
  const current = await beginWithFailures(count);
  await current.restartService({ API_RATE: '20' });
  expect(await replayAsJson({ status: 'failed', rule: 'label', yes: true })).toEqual({
    matched: count,
    replayed: count,
    runs: count,
    skipped: {},
    next: null,
  });
  await until('a replay is at the API', () => writes().length > 0);

  const before = writes().length;
  const device = 10_000 + count + 1;
  await current.post(changed(device));
  const isInteractive = ({ path }: RecordedCall): boolean => path.startsWith(`/devices/${device}/`);
  await until('the event is at the API', () => writes().some(isInteractive));
  // The calls that were on their way, or had their slot, when the event came.
  expect(writes().findIndex(isInteractive) - before).toBeLessThanOrEqual(20);
  expect(writes().length).toBeLessThan(count);
  await until('all are done', async () => (await withStatus('completed')) === count + 1);
  expect(writes()).toHaveLength(count + 1);
});

describe('many events', () => {
  test('are counted, replayed after the answer, and found through all pages', async () => {
    await beginWithFailures(130);
    const questions: string[] = [];
    const ask = async (question: string): Promise<boolean> => {
      expect(await withStatus('failed')).toBe(130);
      questions.push(question);
      return true;
    };
    const terminal = dialogOf({ isInteractive: true, ask });
    const last = await replay({ status: 'failed' }, terminal);
    expect(questions).toEqual(['Resume what failed in 130 events?']);
    expect(terminal.lines).toContain('100 events match so far');
    expect(terminal.lines).toContainEqual(
      expect.stringMatching(/^130 events match, received from \S+ \S+ to \S+ \S+ \(UTC\)$/),
    );
    expect(terminal.lines).toContain('70 of 130 events replayed');
    expect(last).toBe(
      'replayed in the bulk lane: 130 events, with 130 failed runs\n"mdm-reflex queue" shows what waits',
    );
    await until('all are done', async () => (await withStatus('completed')) === 130);
    // Neither the rule that had succeeded nor the first step runs again.
    expect(writes()).toHaveLength(130);
    expect(await list()).toHaveLength(130);
  });

  test('are left alone without a yes, by Ctrl-C before the answer, without a filter, and in a script', async () => {
    await beginWithFailures(3);
    const no = dialogOf({ isInteractive: true, ask: () => Promise.resolve(false) });
    expect(await replay({ status: 'failed' }, no)).toBe('nothing was replayed');
    const stopping = new AbortController();
    const gone = dialogOf({
      isInteractive: true,
      signal: stopping.signal,
      ask: () => {
        stopping.abort();
        return Promise.resolve(false);
      },
    });
    expect(await replay({ status: 'failed' }, gone)).toBe('nothing was replayed');
    expect(await replayAsJson({ status: 'failed' }, no)).toMatchObject({ matched: 3, replayed: 0 });
    await expect(replay({ yes: true })).rejects.toThrow(/filter.*\[cli\/missing-argument\]/);
    await expect(replay({ status: 'failed' })).rejects.toThrow(/--yes.*\[cli\/confirmation-needed\]/);
    await expect(replay({ status: 'completed', yes: true })).rejects.toThrow(
      /--status: only what failed can be resumed.*\[cli\/invalid-option\]/,
    );
    await expect(replay({ status: 'failed', limit: '0', yes: true })).rejects.toThrow(/--limit/);
    expect(await replay({ rule: 'unknown', yes: true })).toBe('no event matches these filters');
    expect(await withStatus('failed')).toBe(3);
  });

  test('are chosen by the filters, and only the newest with --limit', async () => {
    const current = await beginWithFailures(5);
    expect(await replayAsJson({ device: '10001', yes: true })).toMatchObject({ matched: 1, runs: 1 });
    await until('one is done', async () => (await withStatus('completed')) === 1);
    expect((await eventsWith('completed'))[0]?.data).toMatchObject({ device: { id: 10_001 } });
    expect(await replayAsJson({ type: 'device.*', limit: '2', yes: true })).toMatchObject({ matched: 2 });
    await until('the newest are done', async () => (await withStatus('completed')) === 3);
    const left = await eventsWith('failed');
    expect(left.map(({ data }) => data)).toMatchObject([
      { device: { id: 10_002 } },
      { device: { id: 10_000 } },
    ]);
    expect(await replayAsJson({ reason: 'nothing like this', yes: true })).toMatchObject({ matched: 0 });
    expect(await replayAsJson({ account: 'default', since: '1h', yes: true })).toMatchObject({ runs: 2 });
    expect(current.simulator.calls().filter(({ method }) => method === 'PUT').length).toBeGreaterThan(0);
  });

  test('go on with the same command after Ctrl-C', async () => {
    const current = await beginWithFailures(10);
    // Whether the replays fail again or not must not matter: they wait.
    await current.restartService({ API_RATE: '1000' });
    const stopping = new AbortController();
    const terminal = dialogOf({
      signal: stopping.signal,
      progress: (line) => {
        if (line.startsWith('4 of')) stopping.abort();
      },
    });
    const stopped = await replay({ status: 'failed', yes: true }, terminal);
    const [, reached] = /^stopped after (\d+) of 10 events$/m.exec(stopped) ?? [];
    expect(Number(reached)).toBeGreaterThanOrEqual(4);
    expect(Number(reached)).toBeLessThan(10);
    expect(stopped).toContain('to go on, run the command again: it replays only what is still failed');
    await until('the first are done', async () => (await withStatus('completed')) === Number(reached));
    const rest = await replayAsJson({ status: 'failed', yes: true });
    expect(rest).toMatchObject({ matched: 10 - Number(reached), next: null });
    await until('all are done', async () => (await withStatus('completed')) === 10);
    expect(writes()).toHaveLength(10);
  });

  test('with --everything: copies, once each, also after Ctrl-C, in the order of the events', async () => {
    const current = await beginWithFailures(10);
    const stopping = new AbortController();
    const terminal = dialogOf({
      signal: stopping.signal,
      progress: (line) => {
        if (line.startsWith('4 of')) stopping.abort();
      },
    });
    const all = { type: 'device.changed_group', everything: true, yes: true };
    const { next, replayed } = await replayAsJson(all, terminal);
    expect(next).toMatchObject({ left: 10 - replayed });
    const rest = await replayAsJson({ ...all, since: next?.since, until: next?.until });
    expect(rest).toMatchObject({ matched: 10 - replayed, replayed: 10 - replayed, runs: 0, next: null });
    await until('the copies are done', async () => (await withStatus('completed')) === 10);
    const copies = (await eventsWith('completed')).reverse();
    expect(copies.map(({ source, data }) => [source, data])).toMatchObject(
      Array.from({ length: 10 }, (_, n) => ['replay', { device: { id: 10_000 + n } }]),
    );
    expect(await withStatus('failed')).toBe(10);
    expect(current.simulator.calls().filter(({ method }) => method === 'PUT')).toHaveLength(10);
  });

  test('are skipped with the reason', async () => {
    const current = await beginWithFailures(4);
    const [first, second, third] = await list({ status: 'failed' });
    const stores = openShardStores(
      openShards(current.client),
      retentionOf(readSettings(current.env, [])),
      (text) => text,
    );
    current.beforeStop(() => stores.close());
    const { runs } = stores.of('default');
    await (await runs.getJob(`${first?.id}.label`))?.remove();
    // Another replay of this one is running.
    await current.client.set(`mdm-reflex:replay:${second?.id}`, '1', 'EX', 600);
    const terminal = dialogOf({
      isInteractive: true,
      ask: async () => {
        const keys = await current.client.keys('mdm-reflex:journal:trace:*');
        const texts = await Promise.all(keys.map((key) => current.client.hget(key, 'event')));
        const gone = keys.find((_key, index) => texts[index]?.includes(third?.id ?? '-'));
        await current.client.del(gone ?? '');
        return true;
      },
    });
    const last = await replay({ status: 'failed' }, terminal);
    const short = (event?: EventSummary): string => event?.id.slice(0, 12) ?? '';
    expect(last.split('\n')).toEqual([
      'replayed in the bulk lane: 1 event, with 1 failed run',
      `skipped: 1 event (still being processed): ${short(second)}`,
      `skipped: 1 event (the queue no longer has what failed; --everything replays the event as a new event): ${short(first)}`,
      `skipped: 1 event (the journal no longer has the event): ${short(third)}`,
      '"mdm-reflex queue" shows what waits',
    ]);
  });
});
