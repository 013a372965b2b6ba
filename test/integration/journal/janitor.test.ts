import { beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Event } from '../../../src/events/envelope.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { createJanitor } from '../../../src/journal/janitor.js';
import type { DeletedDeadLetter, JournalLimits } from '../../../src/journal/janitor.js';
import { openJournal } from '../../../src/journal/journal.js';
import { TRACE_MARGIN_S } from '../../../src/journal/trace-changes.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import type { RunTrace } from '../../../src/journal/trace.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import { DAY_S } from '../../../src/queues/retention.js';
import { openShards } from '../../../src/queues/shards.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 90 };
const UNLIMITED: JournalLimits = { events: 1_000_000, bytes: Infinity };
const NOW = Date.now();

const eventNumber = (number: number, more: Partial<Event> = {}): Event => ({
  id: createHash('sha256').update(`event ${number}`).digest('hex'),
  account: 'default',
  type: 'device.enrolled',
  at: new Date(NOW).toISOString(),
  receivedAt: new Date(NOW - 1_000_000 + number).toISOString(),
  source: 'webhook',
  data: { device: { id: number, serial_number: `SERIAL${number}`, udid: `UDID-${number}` } },
  ...more,
});
const at = new Date(NOW).toISOString();
const run = (status: RunTrace['status']): RunTrace => ({ rule: 'r', status, plannedAt: at, steps: [] });

function setUp({ limits = UNLIMITED, shardCount }: { limits?: JournalLimits; shardCount?: number } = {}) {
  const shards = openShards(redis(), shardCount);
  const journalOf = (account: string) => openJournal(shards.of(account), RETENTION, (text) => text);
  const deadLetters: DeletedDeadLetter[] = [];
  const janitor = createJanitor({
    shards,
    retention: RETENTION,
    limits,
    onDeadLetterDeleted: (deadLetter) => Promise.resolve(void deadLetters.push(deadLetter)),
  });
  /** Records an event that has ended without a run. */
  const finish = async (event: Event): Promise<void> => {
    const journal = journalOf(event.account);
    await journal.recordReceived([event]);
    await journal.recordProcessing(event.id, { state: 'completed', attempts: 1, at });
  };
  const kept = async (filter: { type?: string; device?: string } = {}): Promise<string[]> =>
    (await findEvents(shards, { ...filter, limit: 100 })).events.map(({ id }) => id);
  return { shards, journal: journalOf('default'), journalOf, janitor, deadLetters, finish, kept };
}

/** Makes a trace as old as one whose retention has ended. */
const expire = (event: Event): Promise<number> =>
  redis().expire(traceKey(KEY_PREFIX, event.id), TRACE_MARGIN_S);

describe('by count', () => {
  test('the oldest finished events go first, from all shards, and those that wait or run stay', async () => {
    const { journalOf, janitor, finish, kept } = setUp({
      limits: { ...UNLIMITED, events: 4 },
      shardCount: 3,
    });
    const events = Array.from({ length: 9 }, (_, number) =>
      eventNumber(number, { account: `customer-${number % 4}` }),
    );
    const [waiting, running, ...finished] = events;
    if (waiting === undefined || running === undefined) throw new Error('expected events');
    for (const event of [waiting, running]) await journalOf(event.account).recordReceived([event]);
    await journalOf(waiting.account).recordProcessing(waiting.id, { state: 'failed', attempts: 1, at });
    await journalOf(waiting.account).recordRun(waiting.id, run('waiting'));
    for (const event of finished) await finish(event);
    expect(await janitor.clean()).toBe(5);
    expect(await kept()).toEqual([...finished.slice(-2).reverse(), running, waiting].map(({ id }) => id));
    expect(await janitor.clean()).toBe(0);
  });

  test('a deleted event leaves no key behind but the mark of a repeat, and a repeat does nothing', async () => {
    const { shards, journal, janitor, finish } = setUp({ limits: { ...UNLIMITED, events: 0 } });
    const event = eventNumber(1);
    await finish(event);
    await journal.recordRun(event.id, { ...run('completed'), reason: 'odd', code: 'run/held' });
    await journal.recordFact(event.id, 'device', {
      status: 'found',
      value: { name: 'Bob’s Mac' },
      fetchedAt: at,
      durationMs: 1,
      calls: [],
    });
    expect(await janitor.clean()).toBe(1);
    expect(await redis().keys('*')).toEqual([`${KEY_PREFIX}:journal:seen`]);
    expect(await journal.recordReceived([event])).toEqual([false]);
    expect(await findTrace(shards, event.id)).toBeUndefined();
    const until = Number(await redis().zscore(`${KEY_PREFIX}:journal:seen`, await onlySeen()));
    expect(until).toBeGreaterThan(NOW / 1000 + 6.9 * DAY_S);
    expect(until).toBeLessThan(NOW / 1000 + 7.1 * DAY_S);
  });

  test('the mark of a repeat goes when the repeat window ends', async () => {
    const { journal, janitor, finish } = setUp({ limits: { ...UNLIMITED, events: 0 } });
    await finish(eventNumber(1));
    await janitor.clean();
    await redis().zadd(`${KEY_PREFIX}:journal:seen`, 'XX', 1, await onlySeen());
    await janitor.clean();
    expect(await journal.recordReceived([eventNumber(1)])).toEqual([true]);
  });

  test('a device whose name was known is unknown when its last event is gone, and not before', async () => {
    const { janitor, finish, kept } = setUp({ limits: { ...UNLIMITED, events: 1 } });
    const older = eventNumber(1);
    const newer = { ...eventNumber(2), data: older.data };
    await finish(older);
    await finish(newer);
    await janitor.clean();
    expect(await kept({ device: 'serial1' })).toEqual([newer.id]);
    expect(await kept({ device: 'udid-1' })).toEqual([newer.id]);
    await finish(eventNumber(3));
    await janitor.clean();
    expect(await redis().hkeys(`${KEY_PREFIX}:journal:devices`)).toEqual(['default:3']);
    expect(await redis().hkeys(`${KEY_PREFIX}:journal:serials`)).toEqual(['serial3']);
  });

  test('more events than one call deletes: the next calls go on', async () => {
    const { journal, janitor } = setUp({ limits: { ...UNLIMITED, events: 10 } });
    const events = Array.from({ length: 6000 }, (_, number) => eventNumber(number, { data: {} }));
    for (let from = 0; from < events.length; from += 500) {
      const batch = events.slice(from, from + 500);
      await journal.recordReceived(batch);
      await Promise.all(
        batch.map(({ id }) => journal.recordProcessing(id, { state: 'completed', attempts: 1, at })),
      );
    }
    expect(await janitor.clean()).toBe(5000);
    expect(await janitor.clean()).toBe(990);
    expect(await redis().zcard(`${KEY_PREFIX}:journal:ids`)).toBe(10);
  });
});

describe('by memory', () => {
  test('traces of 10 KB: as many stay as fit', async () => {
    const { journal, janitor, finish, kept } = setUp({ limits: { ...UNLIMITED, bytes: 100_000 } });
    for (let number = 0; number < 20; number += 1) {
      const event = eventNumber(number);
      await finish(event);
      await journal.recordFact(event.id, 'apps', {
        status: 'found',
        value: 'x'.repeat(10_000),
        fetchedAt: at,
        durationMs: 1,
        calls: [],
      });
    }
    await janitor.clean();
    expect((await kept()).length).toBeGreaterThan(5);
    expect((await kept()).length).toBeLessThan(10);
  });
});

describe('by age', () => {
  test('an event goes when its retention ends, from every list', async () => {
    const { janitor, finish, kept } = setUp();
    const old = eventNumber(1, { receivedAt: new Date(NOW - 8 * DAY_S * 1000).toISOString() });
    const active = eventNumber(2, { receivedAt: new Date(NOW - 8 * DAY_S * 1000).toISOString() });
    for (const event of [old, active, eventNumber(3)]) await finish(event);
    // Its run ended yesterday, say.
    await expire(old);
    expect(await janitor.clean()).toBe(1);
    expect(await kept({ type: 'device.*' })).toEqual([eventNumber(3).id, active.id]);
    expect(await redis().exists(`${KEY_PREFIX}:journal:seen`)).toBe(0);
  });

  test('a dead letter stays for its own retention; with its trace goes what a replay would need', async () => {
    const { journal, janitor, finish, deadLetters, kept } = setUp();
    const failed = eventNumber(1, { receivedAt: new Date(NOW - 91 * DAY_S * 1000).toISOString() });
    await finish(failed);
    await journal.recordRun(failed.id, run('failed'));
    expect(await janitor.clean()).toBe(0);
    expect(await kept()).toEqual([failed.id]);
    await expire(failed);
    expect(await janitor.clean()).toBe(1);
    expect(deadLetters).toEqual([{ event: failed, hasFailed: false, rules: ['r'] }]);
  });
});

test('a trace that Redis deleted by itself does not break a list, and leaves it', async () => {
  const { shards, finish, kept, janitor } = setUp();
  const events = [1, 2, 3].map((number) => eventNumber(number));
  for (const event of events) await finish(event);
  await redis().del(traceKey(KEY_PREFIX, eventNumber(2).id));
  const { events: newest } = await findEvents(shards, { type: 'device.enrolled', limit: 2 });
  expect(newest.map(({ id }) => id)).toEqual([eventNumber(3).id, eventNumber(1).id]);
  expect(await redis().zcard(`${KEY_PREFIX}:journal:by:account:default`)).toBe(2);
  await janitor.clean();
  expect(await kept()).toHaveLength(2);
});

async function onlySeen(): Promise<string> {
  const [only = ''] = await redis().zrange(`${KEY_PREFIX}:journal:seen`, '0', '-1');
  return only;
}
