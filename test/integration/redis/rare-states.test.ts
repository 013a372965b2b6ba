import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { openShards } from '../../../src/queues/shards.js';
import { startFakeRedis, textReply } from '../../support/fake-redis.js';
import { startTestRedis } from '../../support/redis.js';
import { startTestCluster } from '../../support/redis-cluster.js';
import { ACCOUNTS, startServiceOn } from '../../support/service-on.js';
import { refusalOn, startOn } from '../../support/start-on.js';
import { until } from '../../support/until.js';

/** Ends what a test started, the last first. */
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function ending<T extends { readonly stop: () => Promise<void> }>(started: T): T {
  ends.push(() => started.stop());
  return started;
}

test('a Redis that is too old is refused', async () => {
  const old = ending(
    await startFakeRedis(([name = '']) =>
      name.toUpperCase() === 'INFO'
        ? textReply('# Server\r\nredis_version:5.0.14\r\nloading:0\r\n')
        : '+OK\r\n',
    ),
  );
  expect(await refusalOn(`redis://127.0.0.1:${old.port}`)).toMatch(
    /is Redis 5\.0\.14; the service needs 6\.2 or later \[redis\/too-old\]/,
  );
});

test('a Redis that reads its data from disk: 503 that says loading, then it works by itself', async () => {
  const fake = await startFakeRedis(([name = '']) =>
    name.toUpperCase() === 'INFO'
      ? textReply('redis_version:7.0.0\r\nloading:1\r\nloading_eta_seconds:1\r\n')
      : '-LOADING Redis is loading the dataset in memory\r\n',
  );
  let isStopped = false;
  const stopFake = async (): Promise<void> => {
    if (!isStopped) await fake.stop();
    isStopped = true;
  };
  ends.push(stopFake);
  const late = ending(await startOn(`redis://127.0.0.1:${fake.port}`));
  expect(await late.post()).toBe(503);
  await until('/readyz says why', async () => (await late.ready()).redis === 'loading');
  expect(late.log()).toContain('"code":"redis/loading"');
  await stopFake();
  ending(await startTestRedis({ port: String(fake.port) }));
  await until('/readyz answers 200', async () => (await late.ready()).status === 200);
  expect(await late.post()).toBe(202);
});

test('a Redis that cannot save to disk: 503 that says refuses-writes, then it works by itself', async () => {
  const redis = ending(await startTestRedis());
  const admin = new Redis(redis.url);
  ends.push(() => admin.quit());
  const started = ending(await startOn(redis.url));
  expect(await started.post()).toBe(202);
  const [, folder = ''] = z.array(z.string()).parse(await admin.call('CONFIG', 'GET', 'dir'));
  // The finished snapshot cannot take the place of a folder.
  const blocked = join(folder, 'dump.rdb');
  await mkdir(join(blocked, 'inside'), { recursive: true });
  await admin.config('SET', 'save', '3600 1');
  await admin.bgsave();
  await until('the save has failed', async () =>
    (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
  );
  expect(await started.post()).toBe(503);
  await until('/readyz says why', async () => (await started.ready()).redis === 'refuses-writes');
  const late = ending(await startOn(redis.url));
  expect(await late.post()).toBe(503);
  await until('the late one says why', async () => (await late.ready()).redis === 'refuses-writes');
  expect(late.log()).toMatch(/MISCONF/);
  await rm(blocked, { recursive: true });
  await admin.bgsave();
  for (const { ready, post } of [started, late]) {
    await until('/readyz answers 200', async () => (await ready()).status === 200);
    expect(await post()).toBe(202);
  }
});

test('a cluster that does not serve all slots: 503 that says cluster-down, then it works by itself', async () => {
  const cluster = ending(await startTestCluster());
  const [first] = cluster.nodes;
  for (const { client } of cluster.nodes) await client.call('CLUSTER', 'DELSLOTS', '0', '1');
  await until('the cluster is down', async () => {
    const infos = await Promise.all(cluster.nodes.map(({ client }) => client.cluster('INFO')));
    return infos.every((info) => info.includes('cluster_state:fail'));
  });
  const late = ending(await startOn(cluster.url));
  expect(await late.post()).toBe(503);
  await until('/readyz says why', async () => (await late.ready()).redis === 'cluster-down');
  expect(late.log()).toMatch(/does not serve all slots/);
  await first?.client.call('CLUSTER', 'ADDSLOTS', '0', '1');
  await until('/readyz answers 200', async () => (await late.ready()).status === 200);
  expect(await late.post()).toBe(202);
});

const SHARDS = 8;
const RULES = 'rules:\n  - { id: log, on: device.enrolled, do: [log: { message: enrolled }] }\n';

test('one master of a cluster is away: only the accounts in its shards get 503', async () => {
  const cluster = ending(await startTestCluster({ settings: { 'cluster-require-full-coverage': 'no' } }));
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error('the cluster has nodes');
  const shards = openShards(first.client, SHARDS);
  const masters = new Map<string, number>();
  for (const account of ACCOUNTS) {
    const slot = await first.client.cluster('KEYSLOT', `${shards.of(account).prefix}:events`);
    masters.set(account, Math.floor((slot * cluster.nodes.length) / 16_384));
  }
  // The fail-over suite relies on this as well.
  expect(new Set(masters.values()).size).toBe(cluster.nodes.length);
  const away = masters.get('acme') ?? 0;
  const [lost, kept] = [true, false].map((isLost) =>
    ACCOUNTS.filter((account) => (masters.get(account) === away) === isLost),
  );

  const world = ending(await startServiceOn(cluster.url, RULES, { REDIS_SHARDS: String(SHARDS) }));
  let id = 0;
  const send = (account: string): Promise<Response> =>
    world.send(account, {
      type: 'device.enrolled',
      at: new Date().toISOString(),
      data: { device: { id: (id += 1) } },
    });
  for (const account of ACCOUNTS) expect((await send(account)).status).toBe(202);
  const master = cluster.nodes[away];
  await master?.kill();
  await until('/readyz answers 503', async () => (await world.ready()) === 503);
  for (let round = 0; round < 5; round += 1) {
    for (const account of lost ?? []) {
      const { status, headers } = await send(account);
      expect(status).toBe(503);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const account of kept ?? []) {
      await until(`a webhook of ${account} is accepted`, async () => (await send(account)).status === 202);
    }
  }
  const before = world.log().length;
  await until('an event of a kept account is processed', async () => {
    await send(kept?.[0] ?? '');
    return world.log().slice(before).includes('enrolled');
  });
  await master?.start();
  await until('/readyz answers 200', async () => (await world.ready()) === 200);
  for (const account of ACCOUNTS) expect((await send(account)).status).toBe(202);
});
