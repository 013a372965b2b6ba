import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestCluster } from '../../support/redis-cluster.js';
import type { TestCluster } from '../../support/redis-cluster.js';
import { runCommand } from '../../support/process.js';
import { failOverUnderLoad, useEveryPart } from './every-part.js';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ tls: true, password: 'p@ss/word of the cluster', replicas: 1 });
});
afterAll(() => cluster.stop());

test('every part of the service works on a Redis Cluster with TLS and a password', async () => {
  await useEveryPart(cluster.url);
  // The accounts are spread over the masters.
  const sizes = await Promise.all(cluster.nodes.slice(0, 3).map(({ client }) => client.dbsize()));
  for (const size of sizes) expect(size).toBeGreaterThan(0);
});

test('another number of shards is refused', async () => {
  const { code, output } = await runCommand(['receiver'], {
    REDIS_URL: cluster.url,
    REDIS_SHARDS: '4',
    PORT: '0',
  });
  expect(code).toBe(78);
  expect(output).toMatch(
    /REDIS_SHARDS is 4, .* spread over 8 shards: set REDIS_SHARDS=8 \[redis\/other-shards\]/,
  );
});

test('a master that dies under load loses and doubles nothing', async () => {
  const [master] = cluster.nodes;
  await failOverUnderLoad(cluster.url, async () => master?.kill());
  await master?.start();
  await cluster.settled();
});
