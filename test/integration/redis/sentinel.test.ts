import { afterAll, beforeAll, test } from '@jest/globals';
import { startTestSentinels } from '../../support/redis-sentinel.js';
import type { TestSentinels } from '../../support/redis-sentinel.js';
import { failOverUnderLoad, useEveryPart } from './every-part.js';

let set: TestSentinels;
beforeAll(async () => {
  set = await startTestSentinels({ tls: true, password: 'p@ss/word', sentinelPassword: 'of+the/sentinels' });
});
afterAll(() => set.stop());

test('every part of the service works through Sentinels with TLS and passwords', async () => {
  await useEveryPart(set.url);
});

test('a master that dies under load loses and doubles nothing', async () => {
  const master = await set.master();
  await failOverUnderLoad(set.url, () => master.kill());
  await master.start();
});
