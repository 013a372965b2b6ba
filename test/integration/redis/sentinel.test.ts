import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CHECKED_COMMANDS, UNCHECKED_COMMANDS } from '../../../src/queues/redis-commands.js';
import { startTestSentinels } from '../../support/redis-sentinel.js';
import type { TestSentinels } from '../../support/redis-sentinel.js';
import { failOverUnderLoad, useEveryPart } from './every-part.js';

/** What replicas, Sentinels and this test send to a master. */
const OF_SERVERS = new Set(['CONFIG', 'PSYNC', 'PUBLISH', 'REPLCONF']);

let set: TestSentinels;
beforeAll(async () => {
  set = await startTestSentinels({ tls: true, password: 'p@ss/word', sentinelPassword: 'of+the/sentinels' });
});
afterAll(() => set.stop());

test('every part of the service works through Sentinels with TLS and passwords', async () => {
  const master = await set.master();
  await master.client.config('RESETSTAT');
  await useEveryPart(set.url);
  // The checks of a start try every command that the service really uses.
  const stats = await master.client.info('commandstats');
  const used = [...stats.matchAll(/^cmdstat_([a-z]+)/gm)].map(([, name = '']) => name.toUpperCase());
  expect(used).toEqual(expect.arrayContaining(['EVALSHA', 'ZADD', 'BZPOPMIN']));
  const unexpected = used.filter(
    (command) =>
      !CHECKED_COMMANDS.has(command) && !UNCHECKED_COMMANDS.has(command) && !OF_SERVERS.has(command),
  );
  expect(unexpected).toEqual([]);
});

test('a master that dies under load loses and doubles nothing', async () => {
  const master = await set.master();
  await failOverUnderLoad(set.url, () => master.kill());
  await master.start();
});
