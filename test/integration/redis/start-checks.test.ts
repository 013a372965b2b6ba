import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openStorageProbe, probeKeys } from '../../../src/coordination/storage-probe.js';
import { CHECKED_COMMANDS, missingRights } from '../../../src/queues/redis-commands.js';
import { singleShard } from '../../../src/queues/shards.js';
import { freePort, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { startServer } from '../../support/redis-server.js';
import { refusalOn, startOn } from '../../support/start-on.js';
import type { StartedOn } from '../../support/start-on.js';
import { until } from '../../support/until.js';

const PASSWORD = 'password-of-the-test';

let redis: TestRedis;
let admin: Redis;
const running: StartedOn[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  admin = new Redis(redis.url);
});
afterEach(async () => {
  for (const started of running.splice(0)) await started.stop();
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});

async function start(url: string): Promise<StartedOn> {
  const started = await startOn(url);
  running.push(started);
  return started;
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
  // Only the message of the service says what is wrong: nothing else goes to the console.
  const warn = jest.spyOn(console, 'warn');
  const text = await refusalOn(url);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  expect(text).not.toContain(PASSWORD);
  return text;
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

test('a user with the rights that the documentation names processes events', async () => {
  const page = readFileSync('docs/operation/deployment.md', 'utf8');
  const [, line = ''] = /^(ACL SETUSER mdm on .*)$/m.exec(page) ?? [];
  const [, , , ...rights] = line.split(' ');
  expect(rights.length).toBeGreaterThan(3);
  await admin.call('ACL', 'SETUSER', 'mdm', 'reset', ...rights);
  const { post, log } = await start(redis.url.replace('redis://', 'redis://mdm:password@'));
  expect(await post()).toBe(202);
  await until(
    'the rule has logged',
    () => log().includes('"message":"enrolled"') || log().includes('"msg":"enrolled"'),
  );
  expect(log()).not.toContain('NOPERM');
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
        const { service, log, post, ready } = await start(redis.url);
        expect(await post()).toBe(503);
        expect(await ready()).toEqual({ status: 503, redis: word });
        expect(log()).toContain(`"code":"redis/${word}"`);
        expect(log()).not.toContain('mdm-reflex runs');
        await run(after);
        await service.running;
        expect(await post()).toBe(202);
        expect(await ready()).toEqual({ status: 200, redis: 'ok' });
        expect(log().split(`"code":"redis/${word}"`)).toHaveLength(2);
      } finally {
        await run(after);
      }
    },
  );

  test.each(CASES)(
    'later (%s): 503 that says %s, then it works by itself',
    async (_name, word, before, after) => {
      const { log, post, ready } = await start(redis.url);
      try {
        expect(await post()).toBe(202);
        await run(before);
        await until('webhooks get 503', async () => (await post()) === 503);
        await until('/readyz says why', async () => (await ready()).redis === word);
        expect((await ready()).status).toBe(503);
        expect(log()).toContain('webhooks get 503: ');
      } finally {
        await run(after);
      }
      await until('/readyz answers 200', async () => (await ready()).status === 200);
      expect(await post()).toBe(202);
    },
  );

  test('a right that is taken away later: /readyz fails, the process answers and stops, and works when the right is back', async () => {
    const url = await user('limited');
    const { post, ready } = await start(url);
    expect(await post()).toBe(202);
    await user('limited', '-zadd', '-rpoplpush', '-lpush');
    // Workers ask for jobs with the connections that they have.
    expect(await post()).toBe(503);
    await until('/readyz says why', async () => (await ready()).redis === 'no-permission');
    await user('limited');
    await until('/readyz answers 200', async () => (await ready()).status === 200);
    expect(await post()).toBe(202);
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

test('the storage probe deletes exactly the keys that it writes', async () => {
  await admin.flushall();
  const limited = new Redis(await user('limited', '-unlink'));
  const probe = openStorageProbe({ repeatWindowDays: 1, deadLetterDays: 1, attempts: 1 });
  try {
    const shard = singleShard(limited);
    await expect(probe.store(shard)).rejects.toThrow('NOPERM');
    const written = (await admin.keys('*')).filter((key) => !key.endsWith(':events:meta'));
    expect(written.sort()).toEqual(probeKeys(shard).sort());
  } finally {
    await probe.close();
    limited.disconnect();
  }
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
