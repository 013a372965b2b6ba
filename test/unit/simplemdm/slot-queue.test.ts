import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { shareTask, withLane } from '../../../src/simplemdm/lane.js';
import type { Lane } from '../../../src/simplemdm/lane.js';
import { createLocalRateLimiter } from '../../../src/simplemdm/rate-limiter.js';
import type { RateLimiter, Reservation } from '../../../src/simplemdm/rate-limiter.js';
import { createSlotQueue } from '../../../src/simplemdm/slot-queue.js';

const identity = { account: 'default', method: 'GET', path: '/account' };

describe('a call that waits', () => {
  /** A rate limiter with scripted reservations; `pausedDuringWait` starts during a wait. */
  function scripted(reservations: Reservation[], pausedDuringWait?: Reservation): RateLimiter {
    return {
      reserve: () => Promise.resolve(reservations.shift() ?? { waitMs: 0 }),
      paused: () =>
        Promise.resolve(
          pausedDuringWait && 'paused' in pausedDuringWait ? pausedDuringWait.paused : undefined,
        ),
      pause: () => Promise.resolve(),
    };
  }
  const paused = { paused: { until: 60_000, status: 429, reason: 'GET /account returned 429' } };

  test('fails when the account is paused for longer than the call waits', async () => {
    const waitForSlot = createSlotQueue(scripted([paused]), { now: () => 0, maxPauseWaitMs: 59_999 });
    await expect(waitForSlot(identity)).rejects.toMatchObject({
      message: 'GET /account returned 429',
      failure: { kind: 'paused', retryAt: 60_000, mayHaveTakenEffect: false },
    });
  });

  test('never waits for the end of a pause after a 401', async () => {
    const refusal = { paused: { until: 1, status: 401, reason: 'GET /account returned 401' } };
    const waitForSlot = createSlotQueue(scripted([refusal]), { now: () => 0, maxPauseWaitMs: 60_000 });
    await expect(waitForSlot(identity)).rejects.toMatchObject({ failure: { kind: 'paused' } });
  });

  test('fails when a pause starts during the wait', async () => {
    const limiter = scripted([{ waitMs: 1 }], paused);
    const waitForSlot = createSlotQueue(limiter, { now: () => 0, maxPauseWaitMs: 0 });
    await expect(waitForSlot(identity)).rejects.toMatchObject({
      failure: { kind: 'paused', retryAt: 60_000 },
    });
  });

  test.each<Lane>(['interactive', 'bulk'])('ends when the process stops (%s)', async (lane) => {
    const stopping = new AbortController();
    const waitForSlot = createSlotQueue(scripted([{ waitMs: 25_000 }, { askAgainMs: 25_000 }]), {
      now: () => 0,
      maxPauseWaitMs: 0,
      signal: stopping.signal,
    });
    const first = withLane(lane, () => waitForSlot(identity));
    const second = withLane(lane, () => waitForSlot(identity));
    stopping.abort();
    const stopped = { failure: { kind: 'stopped', mayHaveTakenEffect: false } };
    await expect(first).rejects.toMatchObject(stopped);
    if (lane === 'bulk') await expect(second).rejects.toMatchObject(stopped);
    else await second.catch(() => undefined);
  });
});

describe('lanes', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_700_000_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A queue for ten calls per second whose calls are noted by name when they are made. */
  function queue() {
    const limiter = createLocalRateLimiter({ perSecond: 10, burst: 20 });
    let asked = 0;
    const counting: RateLimiter = {
      ...limiter,
      reserve: (lane) => {
        asked += 1;
        return limiter.reserve(lane);
      },
    };
    const waitForSlot = createSlotQueue(counting, { now: Date.now, maxPauseWaitMs: 0, random: () => 0 });
    const startedAt = Date.now();
    const made: { readonly name: string; readonly atMs: number }[] = [];
    const call = async (name: string): Promise<void> => {
      await waitForSlot(identity);
      made.push({ name, atMs: Date.now() - startedAt });
    };
    return {
      made,
      asked: () => asked,
      call,
      bulk: (count: number) =>
        Promise.all(
          Array.from({ length: count }, (_, index) => withLane('bulk', () => call(`bulk ${index}`))),
        ),
      namesMade: () => made.map(({ name }) => name),
    };
  }

  test('bulk calls go in their order, and only the first one asks', async () => {
    const { bulk, asked, namesMade } = queue();
    const all = bulk(100);
    await jest.advanceTimersByTimeAsync(9000);
    await all;
    expect(namesMade()).toEqual(Array.from({ length: 100 }, (_, index) => `bulk ${index}`));
    // Once for the slot and once for the time to ask again.
    expect(asked()).toBeLessThanOrEqual(200);
  });

  test('an interactive call goes at once though many bulk calls wait', async () => {
    const { bulk, call, made } = queue();
    const all = bulk(100);
    await jest.advanceTimersByTimeAsync(2000);
    await Promise.all([call('enrollment 1'), call('enrollment 2'), call('enrollment 3')]);
    expect(made.filter(({ name }) => name.startsWith('enrollment')).map(({ atMs }) => atMs)).toEqual([
      2000, 2000, 2000,
    ]);
    await jest.advanceTimersByTimeAsync(9000);
    await all;
  });

  test('a bulk call that finds no slot in 30 seconds goes back to its queue', async () => {
    const { bulk } = queue();
    const all = Promise.allSettled([bulk(10), ...Array.from({ length: 400 }, () => bulk(1))]);
    await jest.advanceTimersByTimeAsync(40_000);
    const results = await all;
    const refused = results.filter((result) => result.status === 'rejected');
    // Half of the burst and the slots of 30 seconds.
    expect(refused.length).toBeGreaterThan(90);
    expect(refused.length).toBeLessThan(110);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({
        failure: { kind: 'paused', detail: expect.stringContaining('API_RATE') },
      });
    }
  });

  test('an interactive caller that joins a bulk task raises it: first in line, or far behind', async () => {
    const { bulk, call, made } = queue();
    const all = bulk(100);
    await jest.advanceTimersByTimeAsync(1000);
    const task = await withLane('bulk', () => Promise.resolve(shareTask(() => call('shared read'))));
    await jest.advanceTimersByTimeAsync(1000);
    expect(made.map(({ name }) => name)).not.toContain('shared read');
    await withLane('bulk', async () => {
      task.join().catch(() => undefined);
      return Promise.resolve();
    });
    await jest.advanceTimersByTimeAsync(1000);
    expect(made.map(({ name }) => name)).not.toContain('shared read');
    await task.join();
    expect(made.at(-1)).toEqual({ name: 'shared read', atMs: 3000 });
    await jest.advanceTimersByTimeAsync(9000);
    await all;
  });

  test('a task within a bulk task is raised with it, and the rest of the bulk task stays behind', async () => {
    const { bulk, call, made } = queue();
    const all = bulk(80);
    await jest.advanceTimersByTimeAsync(1000);
    const parts = await withLane('bulk', () =>
      Promise.resolve({
        list: shareTask(() => shareTask(() => call('page of the list')).join()),
        other: call('another call'),
      }),
    );
    await parts.list.join();
    expect(made.at(-1)).toEqual({ name: 'page of the list', atMs: 1000 });
    expect(made.map(({ name }) => name)).not.toContain('another call');
    await jest.advanceTimersByTimeAsync(9000);
    await Promise.all([all, parts.other]);
  });

  test('the share of bulk: one call in ten intervals while interactive calls use up the rate', async () => {
    const { bulk, call, made } = queue();
    const interactive = Promise.all(Array.from({ length: 200 }, (_, index) => call(`interactive ${index}`)));
    const all = bulk(10);
    await jest.advanceTimersByTimeAsync(30_000);
    await Promise.all([interactive, all]);
    const bulkCalls = made.filter(({ name }) => name.startsWith('bulk'));
    expect(bulkCalls).toHaveLength(10);
    // 180 calls wait at the start: the first bulk call comes behind them.
    expect(bulkCalls[0]?.atMs).toBeLessThanOrEqual(18_200);
  });
});
