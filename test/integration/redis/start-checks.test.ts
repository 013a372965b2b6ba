import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { OperatorError } from '../../../src/config/operator-error.js';
import { startService } from '../../../src/main.js';
import type { Service } from '../../../src/main.js';
import { CHECKED_COMMANDS, missingRights } from '../../../src/queues/redis-commands.js';
import { collectLog } from '../../support/log-lines.js';
import { freePort, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { startServer } from '../../support/redis-server.js';
import { temporaryFolder } from '../../support/process.js';
import { until } from '../../support/until.js';

const PASSWORD = 'password-of-the-test';
const TOKEN = 'webhook-token-of-the-test';

let redis: TestRedis;
let admin: Redis;
let rules: Awaited<ReturnType<typeof temporaryFolder>>;
const running: Service[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  admin = new Redis(redis.url);
  rules = await temporaryFolder({
    'rules.yaml': 'rules:\n  - { id: log, on: device.enrolled, do: [log: { message: enrolled }] }\n',
  });
});
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
  await rules.remove();
});

/** Starts both roles. The log is what they wrote. */
async function start(url: string): Promise<{ service: Service; log: () => string }> {
  const { logTo, log } = collectLog();
  const service = await startService({
    env: {
      PORT: '0',
      REDIS_URL: url,
      SIMPLEMDM_API_KEY: 'api-key-of-the-test',
      SIMPLEMDM_BASE_URL: 'http://127.0.0.1:1/api/v1',
      WEBHOOK_TOKEN: TOKEN,
      RULES_PATH: rules.path,
      CHECK_REFERENCES: '0',
    },
    roles: ['receiver', 'worker'],
    logTo,
  });
  running.push(service);
  return { service, log };
}

/** The URL of a Redis user with these rules, which may do everything else. */
async function user(name: string, ...acl: string[]): Promise<string> {
  await admin.call(
    'ACL',
    'SETUSER',
    name,
    'reset',
    'on',
    `>${PASSWORD}`,
    '~mdm-reflex*',
    '&*',
    '+@all',
    ...acl,
  );
  return redis.url.replace('redis://', `redis://${name}:${PASSWORD}@`);
}

async function refusal(url: string): Promise<string> {
  const error = await start(url).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  const text = String(error);
  expect(text).not.toContain(PASSWORD);
  return text;
}

let next = 0;
async function post(url: string): Promise<number> {
  const response = await fetch(`${url}/webhooks/simplemdm/${TOKEN}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'test_event', at: new Date().toISOString(), data: { number: (next += 1) } }),
  });
  return response.status;
}

async function ready(url: string): Promise<{ status: number; redis: unknown }> {
  const response = await fetch(`${url}/readyz`);
  const body: unknown = await response.json();
  return {
    status: response.status,
    redis: typeof body === 'object' && body !== null && 'redis' in body ? body.redis : undefined,
  };
}

describe('the service does not start, and names', () => {
  test.each([
    [
      ['-info'],
      /the Redis user "limited" may not run INFO at .*: ACL SETUSER limited \+info \[redis\/no-permission\]/,
    ],
    [['-eval'], /may not run EVAL at .* \+eval /],
    [['-evalsha'], /may not run EVALSHA at/],
    [['-bzpopmin'], /may not run BZPOPMIN at/],
    [
      ['-xadd', '-zadd', '-hset'],
      /may not run HSET, ZADD, XADD at .*: ACL SETUSER limited \+hset \+zadd \+xadd /,
    ],
    [['-@scripting'], /may not run EVALSHA, EVAL at/],
    [['resetkeys', '~other*'], /may not use the keys of the service at .*: grant ~mdm-reflex\*/],
  ])('the missing right (%j)', async (acl, message) => {
    expect(await refusal(await user('limited', ...acl))).toMatch(message);
  });

  test('a refused login and a database that is not there', async () => {
    const url = await user('limited');
    expect(await refusal(url.replace(PASSWORD, 'another-password'))).toMatch(
      /refuses the login: .*\[redis\/refused-login\]/,
    );
    expect(await refusal(`${redis.url}/99`)).toMatch(/no database with the number .*\[redis\/no-database\]/);
  });

  test('another kind of Redis than REDIS_URL says', async () => {
    expect(await refusal(redis.url.replace('redis://', 'redis+cluster://'))).toMatch(
      /is no Redis Cluster: begin REDIS_URL with redis:\/\/ .*\[redis\/wrong-kind\]/,
    );
    const node = await startServer({
      tls: false,
      settings: { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) },
    });
    const sentinel = await startServer({ tls: false, sentinel: true });
    try {
      expect(await refusal(`redis://127.0.0.1:${node.port}`)).toMatch(
        /is a node of a Redis Cluster: REDIS_URL must be redis\+cluster/,
      );
      expect(await refusal(`redis://127.0.0.1:${sentinel.port}`)).toMatch(
        /is a Sentinel: REDIS_URL must be redis\+sentinel/,
      );
    } finally {
      await node.stop();
      await sentinel.stop();
    }
  });
});

describe('a Redis that takes no writes for a while', () => {
  const CASES: readonly [string, string, readonly string[], readonly string[]][] = [
    ['a replica', 'read-only', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    ['full', 'full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    [
      'without its replicas',
      'refuses-writes',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    ],
  ];
  const run = async ([command = '', ...args]: readonly string[]): Promise<unknown> =>
    admin.call(command, ...args);

  test.each(CASES)(
    'at the start (%s): 503 that says %s, then it works by itself',
    async (_name, word, before, after) => {
      await run(before);
      try {
        const { service, log } = await start(redis.url);
        expect(await post(service.url)).toBe(503);
        expect(await ready(service.url)).toEqual({ status: 503, redis: word });
        expect(log()).toContain(`"code":"redis/${word}"`);
        expect(log()).not.toContain('mdm-reflex runs');
        await run(after);
        await service.running;
        expect(await post(service.url)).toBe(202);
        expect(await ready(service.url)).toEqual({ status: 200, redis: 'ok' });
        expect(log().split(`"code":"redis/${word}"`)).toHaveLength(2);
      } finally {
        await run(after);
      }
    },
  );

  test.each(CASES)(
    'later (%s): 503 that says %s, then it works by itself',
    async (_name, word, before, after) => {
      const { service, log } = await start(redis.url);
      try {
        expect(await post(service.url)).toBe(202);
        await run(before);
        await until('webhooks get 503', async () => (await post(service.url)) === 503);
        await until('/readyz says why', async () => (await ready(service.url)).redis === word);
        expect((await ready(service.url)).status).toBe(503);
        expect(log()).toContain('webhooks get 503: ');
      } finally {
        await run(after);
      }
      await until('/readyz answers 200', async () => (await ready(service.url)).status === 200);
      expect(await post(service.url)).toBe(202);
    },
  );

  test('a right that is taken away later: /readyz fails, the process answers and stops, and works when the right is back', async () => {
    const url = await user('limited');
    const { service } = await start(url);
    expect(await post(service.url)).toBe(202);
    await user('limited', '-zadd', '-rpoplpush', '-lpush');
    // Workers ask for jobs with the connections that they have.
    expect(await post(service.url)).toBe(503);
    await until('/readyz says why', async () => (await ready(service.url)).redis === 'no-permission');
    await user('limited');
    await until('/readyz answers 200', async () => (await ready(service.url)).status === 200);
    expect(await post(service.url)).toBe(202);
  });
});

test('the probes of start and health leave no keys', async () => {
  await admin.flushall();
  const { service } = await start(redis.url);
  await service.running;
  const left = (await admin.keys('*')).filter((key) => /:(probe|check)\b/.test(key));
  // BullMQ writes its version once for each queue.
  expect(left.filter((key) => !key.endsWith(':events:meta'))).toEqual([]);
});

test('a user with every right passes the check, and each of its commands succeeds', async () => {
  expect(await missingRights(admin, 'mdm-reflex:check')).toEqual({ commands: [], refusal: undefined });
});

test('the check covers every command in the scripts of the service and of BullMQ, and no command that nobody uses', () => {
  const sources = ['src', 'workers', 'node_modules/bullmq/dist/esm']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts'))
        .map((name) => join(folder, name)),
    )
    .map((file) => readFileSync(file, 'utf8'));
  const found = (pattern: RegExp): Set<string> =>
    new Set(
      sources.flatMap((source) => [...source.matchAll(pattern)].map(([, name = '']) => name.toUpperCase())),
    );
  const inScripts = found(/(?:rcall|redis\.p?call)\(\s*["']([a-zA-Z]+)/g);
  // The private Redis is stopped by its socket.
  inScripts.delete('SHUTDOWN');
  expect([...inScripts].filter((command) => !CHECKED_COMMANDS.has(command))).toEqual([]);
  const asMethods = found(/\.([a-z]+)\(/g);
  expect(
    [...CHECKED_COMMANDS].filter((command) => !inScripts.has(command) && !asMethods.has(command)),
  ).toEqual([]);
});
