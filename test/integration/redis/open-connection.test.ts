import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { parseRedisUrl } from '../../../src/config/redis-url.js';
import { diagnoseRedis } from '../../../src/queues/diagnose-redis.js';
import { lastErrorOf, openConnection } from '../../../src/queues/open-connection.js';
import type { RedisClient, WhileUnreachable } from '../../../src/queues/open-connection.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { listReply, startFakeRedis, textReply } from '../../support/fake-redis.js';
import { freePort, startTestRedis } from '../../support/redis.js';
import { startTestCluster } from '../../support/redis-cluster.js';
import type { TestCluster } from '../../support/redis-cluster.js';
import { startTestSentinels } from '../../support/redis-sentinel.js';
import type { TestSentinels } from '../../support/redis-sentinel.js';
import { until } from '../../support/until.js';

const PASSWORD = 'p@ss/word#of-the-test';
const MODES: readonly WhileUnreachable[] = ['fail', 'wait'];
const logger = createLogger({ level: 'silent', redact: (text) => text });

async function withConnection(
  url: string,
  mode: WhileUnreachable,
  work: (redis: RedisClient) => Promise<void>,
): Promise<void> {
  const redis = openConnection({ url }, 'test', mode, logger);
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

const untilReady = (redis: RedisClient): Promise<unknown> =>
  until(`the connection is ready (${lastErrorOf(redis) ?? ''})`, () => redis.status === 'ready');

describe('a Redis Cluster with TLS and a password', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ tls: true, password: PASSWORD });
  });
  afterAll(() => cluster.stop());

  test.each(MODES)('is written and read on every node (%s)', async (mode) => {
    await withConnection(cluster.url, mode, async (redis) => {
      await untilReady(redis);
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
        await redis.set(key, key);
        expect(await redis.get(key)).toBe(key);
      }
      const sizes = await Promise.all(cluster.nodes.map(({ client }) => client.dbsize()));
      for (const size of sizes) expect(size).toBeGreaterThan(0);
    });
  });

  test('commands fail at once while it is unreachable', async () => {
    await withConnection(cluster.url.replace(/\?.*/, ''), 'fail', async (redis) => {
      await until('the reason', () => lastErrorOf(redis));
      await expect(redis.get('a')).rejects.toThrow("Cluster isn't ready");
    });
  });

  test('a wrong password and a missing authority are named, without the password', async () => {
    const withWrongPassword = cluster.url.replace(encodeURIComponent(PASSWORD), 'wrong-password');
    const refused = await diagnoseRedis(parseRedisUrl(withWrongPassword));
    expect(refused).toMatchObject({ code: 'redis/refused-login', isPermanent: true });
    expect(refused.message).not.toContain('wrong-password');
    const untrusted = await diagnoseRedis(parseRedisUrl(cluster.url.replace(/\?.*/, '')));
    expect(untrusted).toMatchObject({
      code: 'redis/unreachable',
      isPermanent: false,
      message: expect.stringMatching(/self-signed certificate; name the file .* with \?ca=<file>/),
    });
  });
});

describe('Sentinels with TLS and two passwords', () => {
  let set: TestSentinels;
  beforeAll(async () => {
    set = await startTestSentinels({
      tls: true,
      password: PASSWORD,
      sentinelPassword: 'the+sentinels',
    });
  });
  afterAll(() => set.stop());

  test('a lost master is replaced, and both kinds of connections follow', async () => {
    await withConnection(set.url, 'fail', async (requests) => {
      await withConnection(set.url, 'wait', async (workers) => {
        await untilReady(requests);
        await untilReady(workers);
        await workers.set('before', '1');
        await workers.call('WAIT', '1', '60000');
        const old = await set.master();
        await old.kill();
        // Waits for the new master.
        await workers.set('after', '2');
        expect(await workers.mget('before', 'after')).toEqual(['1', '2']);
        expect((await set.master()).port).not.toBe(old.port);
        await until('the connection for requests follows', () =>
          requests.get('after').then(
            (value) => value === '2',
            () => false,
          ),
        );
      });
    });
  });

  test.each(MODES)('a fail-over that is announced while the Sentinels are asked (%s)', async (mode) => {
    const redis = await startTestRedis();
    const admin = new Redis(redis.url);
    let whenAsked = (): Promise<unknown> => Promise.resolve();
    const subscribed = new Set<number>();
    let asked = 0;
    const sentinel = await startFakeRedis(async ([name = '', subcommand = '']) => {
      if (name.toUpperCase() === 'SUBSCRIBE') {
        subscribed.add(asked);
        return `*3\r\n${textReply('subscribe')}${textReply('+switch-master')}:1\r\n`;
      }
      if (`${name} ${subcommand}`.toUpperCase() === 'SENTINEL GET-MASTER-ADDR-BY-NAME') {
        asked += 1;
        await whenAsked();
        return listReply('127.0.0.1', String(redis.port));
      }
      if (name.toUpperCase() === 'HELLO') return "-ERR unknown command 'HELLO'\r\n";
      return name.toUpperCase() === 'SENTINEL' ? '*0\r\n' : '+OK\r\n';
    });
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/fleet`;
    try {
      await withConnection(url, mode, async (connection) => {
        await untilReady(connection);
        await until('the connection listens for fail-overs', () => subscribed.has(1));
        whenAsked = async () => {
          whenAsked = () => Promise.resolve();
          sentinel.push(listReply('message', '+switch-master', 'fleet'));
          // The announcement arrives first: it was written to its connection before the answer to this one.
          await delay(50);
        };
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await until('the Sentinel is asked again', () => asked >= 2);
        await until('the connection is ready or has ended', () =>
          ['ready', 'end'].includes(connection.status),
        );
        expect(connection.status).toBe('ready');
        expect(await connection.set('a', '1')).toBe('OK');
      });
    } finally {
      await sentinel.stop();
      admin.disconnect();
      await redis.stop();
    }
  });

  test('an unknown master and Sentinels that are not there are named', async () => {
    const nowhere = await freePort();
    const problems = await Promise.all(
      [
        set.url.replace('/fleet', '/flet'),
        set.url.replace('the%2Bsentinels', 'wrong-one'),
        `redis+sentinel://127.0.0.1:${nowhere}/fleet`,
      ].map((url) => diagnoseRedis(parseRedisUrl(url))),
    );
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^redis\/unknown-master: .* knows no master "flet"; it knows fleet: correct/),
      expect.stringMatching(/^redis\/refused-login: .* refuses the login: .*sentinelPassword/),
      expect.stringMatching(/^redis\/unreachable: no Sentinel is reachable: .*ECONNREFUSED/),
    ]);
  });
});
