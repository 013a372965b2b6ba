import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import { createLocalRateLimiter } from '../../../src/simplemdm/rate-limiter.js';
import type { RateLimiter } from '../../../src/simplemdm/rate-limiter.js';
import { createSharedRateLimiter } from '../../../src/simplemdm/shared-rate-limiter.js';
import { withLane } from '../../../src/simplemdm/lane.js';
import type { Lane } from '../../../src/simplemdm/lane.js';
import { bucketTimes, requestSlot, RESERVE_SLOT_LUA, UNUSED } from '../../../src/simplemdm/token-bucket.js';
import type { Rate } from '../../../src/simplemdm/token-bucket.js';
import { callsBeyond } from '../../support/rate.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { failureOf } from './failure-of.js';
import { singleShard } from '../../../src/queues/shards.js';

const apiKey = 'api-key-of-the-rate-limiter-test';
let server: TestRedis;
let connections: [Redis, Redis];
let simulator: Simulator | undefined;

beforeAll(async () => {
  server = await startTestRedis();
  connections = [new Redis(server.url), new Redis(server.url)];
  for (const redis of connections) redis.on('error', () => undefined);
  await Promise.all(connections.map((redis) => redis.ping()));
});

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
  await connections[0].flushall();
});

afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.stop();
});

/** The rate limiters of two processes. */
function twoLimiters(rate: Rate, account = 'default'): [RateLimiter, RateLimiter] {
  const [one, two] = connections;
  return [
    createSharedRateLimiter(singleShard(one), account, rate),
    createSharedRateLimiter(singleShard(two), account, rate),
  ];
}

test('two processes share the slots of one rate limiter', async () => {
  const [one, two] = twoLimiters({ perSecond: 10, burst: 4 });
  const begun = Date.now();
  const reservations = await Promise.all(
    Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? one : two).reserve()),
  );
  const elapsed = Date.now() - begun;
  const waits = reservations
    .map((reservation) => ('waitMs' in reservation ? reservation.waitMs : Infinity))
    .sort((a, b) => a - b);
  expect(waits.slice(0, 4)).toEqual([0, 0, 0, 0]);
  // Slots are a tenth of a second apart, minus the time that the reservations took.
  for (const [index, wait] of waits.entries()) {
    expect(wait).toBeLessThanOrEqual(Math.max(0, (index - 3) * 100) + 1);
    expect(wait).toBeGreaterThanOrEqual(Math.max(0, (index - 3) * 100) - elapsed - 1);
  }
});

test('each account has its own limit', async () => {
  const [north] = twoLimiters({ perSecond: 1, burst: 1 }, 'north');
  const [south] = twoLimiters({ perSecond: 1, burst: 1 }, 'south');
  expect(await north.reserve()).toEqual({ waitMs: 0 });
  expect(await south.reserve()).toEqual({ waitMs: 0 });
});

test('a reservation with too long a wait is refused and takes no slot', async () => {
  const [one, two] = twoLimiters({ perSecond: 1, burst: 1 });
  for (let count = 0; count <= 30; count += 1) await one.reserve();
  for (const limiter of [one, two, one]) {
    const reservation = await limiter.reserve();
    expect(reservation).toMatchObject({ paused: { reason: expect.stringContaining('API_RATE') } });
  }
});

test('a 429 in one process pauses both, until the time in the response, with its reason', async () => {
  const [one, two] = twoLimiters({ perSecond: 100, burst: 100 });
  simulator = await startSimulator({ apiKey });
  const { url: baseUrl } = simulator;
  const first = createSimpleMdm({ apiKey, baseUrl, rateLimiter: one, maxPauseWaitMs: 0 });
  const second = createSimpleMdm({ apiKey, baseUrl, rateLimiter: two, maxPauseWaitMs: 0 });
  simulator.addFault({ kind: 'status', status: 429, retryAfter: 20, times: 1 });
  const before = Date.now();
  await failureOf(first.account.show());
  for (const api of [first, second]) {
    const { failure, message } = await failureOf(api.devices.retrieve(54));
    expect(failure.kind).toBe('paused');
    expect(message).toMatch(/GET \/account .*429/);
    expect(failure.retryAt).toBeGreaterThanOrEqual(before + 19_900);
    expect(failure.retryAt).toBeLessThanOrEqual(Date.now() + 20_000);
  }
  expect(simulator.calls()).toHaveLength(1);
  await one.pause({ until: Date.now() + 1000, status: 429, reason: 'a shorter one' });
  expect((await two.paused())?.reason).toMatch(/GET \/account/);
});

test('a refused key pauses only the process that has the key', async () => {
  const [one, two] = twoLimiters({ perSecond: 100, burst: 100 });
  simulator = await startSimulator({ apiKey });
  const options = { baseUrl: simulator.url, maxPauseWaitMs: 0 };
  const wrong = createSimpleMdm({ ...options, apiKey: 'wrong-key', rateLimiter: one });
  const right = createSimpleMdm({ ...options, apiKey, rateLimiter: two });
  expect((await failureOf(wrong.account.show())).failure.status).toBe(401);
  expect((await failureOf(wrong.account.show())).failure.kind).toBe('paused');
  expect((await right.account.show()).attributes.name).toBe('SimpleMDM');
});

/** How many of 80 concurrent calls from two processes come sooner than the rate allows, with three calls of tolerance. */
async function beyondOf([one, two]: [RateLimiter, RateLimiter], rate: Rate): Promise<number> {
  const running = await startSimulator({ apiKey });
  simulator = running;
  const options = { apiKey, baseUrl: running.url, maxPauseWaitMs: 0, retries: 0 };
  const first = createSimpleMdm({ ...options, rateLimiter: one });
  const second = createSimpleMdm({ ...options, rateLimiter: two });
  // Identical reads would be shared.
  const call = (index: number) =>
    (index % 2 === 0 ? first : second).deviceGroups.assignDevice(41, 54).catch(() => undefined);
  const startedAt = Date.now();
  await Promise.all(Array.from({ length: 80 }, (_, index) => call(index)));
  const arrivals = running.calls().map(({ at }) => Date.parse(at));
  expect(arrivals).toHaveLength(80);
  return callsBeyond({ ...rate, burst: rate.burst + 3 }, arrivals, startedAt);
}

test('a server with the same limit refuses no call of a shared limiter, and some calls of two separate limiters', async () => {
  const rate = { perSecond: 40, burst: 20 };
  expect(await beyondOf(twoLimiters(rate), rate)).toBe(0);
  await simulator?.close();
  const separate: [RateLimiter, RateLimiter] = [createLocalRateLimiter(rate), createLocalRateLimiter(rate)];
  expect(await beyondOf(separate, rate)).toBeGreaterThan(0);
});

test('while Redis is away each process limits itself; afterwards they share again', async () => {
  const [one, two] = twoLimiters({ perSecond: 10, burst: 2 });
  await server.restart(async () => {
    await until('the loss is noticed', () => connections[0].status !== 'ready');
    expect(await one.reserve()).toEqual({ waitMs: 0 });
    expect(await one.reserve()).toEqual({ waitMs: 0 });
    expect(await one.reserve()).toMatchObject({ waitMs: expect.any(Number) });
    await one.pause({ until: Date.now() + 60_000, status: 429, reason: 'paused while Redis was away' });
    expect((await one.paused())?.reason).toBe('paused while Redis was away');
    expect(await one.reserve()).toMatchObject({ paused: { status: 429 } });
  });
  await until('the connections are back', () => connections.every(({ status }) => status === 'ready'));
  expect(await two.reserve()).toEqual({ waitMs: 0 });
  // It was told to wait, whoever else was not.
  expect(await one.reserve()).toMatchObject({ paused: { status: 429 } });
});

test('the bucket in Redis grants the same slots as the one in a process', async () => {
  const [redis] = connections;
  const script = `${RESERVE_SLOT_LUA}
    local n = {}
    for i = 2, 6 do n[i] = tonumber(ARGV[i]) end
    return reserve_slot(KEYS[1], ARGV[1], n[2], n[3], n[4], n[5], n[6])`;
  const lane = fc.constantFrom<Lane>('interactive', 'bulk');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.record({ lane, gap: fc.integer({ min: 0, max: 700 }) }), { minLength: 1, maxLength: 40 }),
      async (perSecond, burst, requests) => {
        await redis.del('bucket');
        const times = bucketTimes({ perSecond, burst });
        const { intervalMs, burstMs, bulkBurstMs, bulkEveryMs } = times;
        // Later than the clock of Redis, so that the key does not expire.
        let now = Date.now() + 3_600_000;
        let bucket = UNUSED;
        for (const { lane: asking, gap } of requests) {
          now += gap;
          const grant = requestSlot(bucket, times, asking, now);
          if (grant.kind === 'slot') ({ bucket } = grant);
          expect(
            await redis.eval(script, 1, 'bucket', asking, now, intervalMs, burstMs, bulkBurstMs, bulkEveryMs),
          ).toEqual([grant.kind, Math.ceil(grant.ms)]);
        }
      },
    ),
    { numRuns: 50 },
  );
});

/** Makes a distinct read, so that reads are not shared. */
const readDevice = (api: ReturnType<typeof createSimpleMdm>, id: number): Promise<unknown> =>
  api.devices.retrieve(id).catch(() => undefined);

test('bulk calls of two processes leave slots for interactive calls, and keep the rate', async () => {
  const rate = { perSecond: 50, burst: 20 };
  const running = await startSimulator({ apiKey });
  simulator = running;
  const options = { apiKey, baseUrl: running.url, maxPauseWaitMs: 0, retries: 0 };
  const [one, two] = twoLimiters(rate).map((rateLimiter) => createSimpleMdm({ ...options, rateLimiter }));
  if (one === undefined || two === undefined) throw new Error('two clients expected');
  const startedAt = Date.now();
  const bulk = withLane('bulk', () =>
    Promise.all(
      Array.from({ length: 150 }, (_, index) => readDevice(index % 2 === 0 ? one : two, 1000 + index)),
    ),
  );
  await until('bulk uses up its part of the burst', () => running.calls().length > 20);
  // Interactive calls get their slots before the bulk calls that wait since before.
  await Promise.all(
    Array.from({ length: 8 }, (_, index) => readDevice(index % 2 === 0 ? one : two, 10 + index)),
  );
  const before = running.calls().length;
  expect(before).toBeLessThan(150);
  await bulk;
  const calls = running.calls();
  expect(calls).toHaveLength(158);
  const arrivals = calls.map(({ at }) => Date.parse(at));
  expect(callsBeyond({ ...rate, burst: rate.burst + 3 }, arrivals, startedAt)).toBe(0);
});

test('bulk gets its share while interactive calls use up the rate', async () => {
  const [one, two] = twoLimiters({ perSecond: 20, burst: 4 });
  const interactive = await Promise.all(Array.from({ length: 200 }, () => one.reserve()));
  expect(interactive.every((reservation) => 'waitMs' in reservation)).toBe(true);
  // The slots of the next ten seconds are reserved. A bulk call gets the one behind them; the second one has to ask again.
  expect(await two.reserve('bulk')).toMatchObject({ waitMs: expect.any(Number) });
  const second = await two.reserve('bulk');
  expect(second).toMatchObject({ askAgainMs: expect.any(Number) });
  if ('askAgainMs' in second) expect(second.askAgainMs).toBeLessThanOrEqual(500);
  await until('another ten intervals have passed', async () => 'waitMs' in (await one.reserve('bulk')));
});
