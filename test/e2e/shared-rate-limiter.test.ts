import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { callsBeyond } from '../support/rate.js';
import { startTestRedis } from '../support/redis.js';
import type { TestRedis } from '../support/redis.js';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const apiKey = 'api-key-of-the-rate-limiter-test';
const rate = { perSecond: 10, burst: 20 };
const CALLS = 30;
const report = z.object({ startedAt: z.number(), fulfilled: z.int() });

let redis: TestRedis;
let simulator: Simulator;

beforeAll(async () => {
  redis = await startTestRedis();
  simulator = await startSimulator({ apiKey });
});

afterAll(async () => {
  await simulator.close();
  await redis.stop();
});

const program = `
import { Redis } from 'ioredis';
import { createSharedRateLimiter, createSimpleMdm } from 'mdm-reflex/simplemdm';
const [redisUrl, baseUrl, apiKey, calls, perSecond, burst] = process.argv.slice(1);
const redis = new Redis(redisUrl);
const rateLimiter = createSharedRateLimiter({ redis, prefix: 'test' }, 'default', { perSecond: Number(perSecond), burst: Number(burst) });
await redis.ping();
const startedAt = Date.now();
const api = createSimpleMdm({ apiKey, baseUrl, rateLimiter, maxPauseWaitMs: 0, retries: 0 });
const made = await Promise.allSettled(Array.from({ length: Number(calls) }, () => api.deviceGroups.assignDevice(41, 54)));
console.log(JSON.stringify({ startedAt, fulfilled: made.filter(({ status }) => status === 'fulfilled').length }));
redis.disconnect();
`;

test('two processes share one rate limiter: a server with the same limit refuses no call', async () => {
  const args = [redis.url, simulator.url, apiKey, ...[CALLS, rate.perSecond, rate.burst].map(String)];
  const one = () => run(process.execPath, ['--input-type=module', '-e', program, ...args], { cwd: root });
  const outputs = await Promise.all([one(), one()]);
  const reports = outputs.map(({ stdout }) => report.parse(JSON.parse(stdout)));
  expect(reports.map(({ fulfilled }) => fulfilled)).toEqual([CALLS, CALLS]);
  const arrivals = simulator.calls().map(({ at }) => Date.parse(at));
  expect(arrivals).toHaveLength(2 * CALLS);
  const startedAt = Math.min(...reports.map((each) => each.startedAt));
  expect(callsBeyond({ ...rate, burst: rate.burst + 2 }, arrivals, startedAt)).toBe(0);
});
