import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { startTestRedis } from '../support/redis.js';
import type { TestRedis } from '../support/redis.js';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const apiKey = 'api-key-of-the-rate-limiter-test';
const rate = { perSecond: 10, burst: 20 };
const CALLS = 30;

let redis: TestRedis;
let simulator: Simulator;

beforeAll(async () => {
  redis = await startTestRedis();
  // The network changes the distances between calls a little.
  simulator = await startSimulator({ apiKey, rateLimit: { ...rate, burst: rate.burst + 2 } });
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
const rateLimiter = createSharedRateLimiter(redis, 'test', 'default', { perSecond: Number(perSecond), burst: Number(burst) });
const api = createSimpleMdm({ apiKey, baseUrl, rateLimiter, maxPauseWaitMs: 0, retries: 0 });
const made = await Promise.allSettled(Array.from({ length: Number(calls) }, () => api.deviceGroups.assignDevice(41, 54)));
console.log(made.filter(({ status }) => status === 'fulfilled').length);
redis.disconnect();
`;

test('two processes share one rate limiter: a server with the same limit refuses no call', async () => {
  const args = [redis.url, simulator.url, apiKey, ...[CALLS, rate.perSecond, rate.burst].map(String)];
  const one = () => run(process.execPath, ['--input-type=module', '-e', program, ...args], { cwd: root });
  const outputs = await Promise.all([one(), one()]);
  expect(outputs.map(({ stdout }) => stdout.trim())).toEqual([String(CALLS), String(CALLS)]);
  expect(simulator.calls().map(({ status }) => status)).toEqual(Array.from({ length: 2 * CALLS }, () => 202));
});
