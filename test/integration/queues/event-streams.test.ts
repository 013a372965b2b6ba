import { expect, test } from '@jest/globals';
import { openEventQueue } from '../../../src/queues/queues.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();

test('the stream in which BullMQ tells what happens to jobs stays short', async () => {
  const queue = openEventQueue(
    { redis: redis(), prefix: 'test' },
    { repeatWindowDays: 7, deadLetterDays: 90, attempts: 8 },
  );
  try {
    await queue.waitUntilReady();
    for (let batch = 0; batch < 10; batch += 1) {
      const jobs = Array.from({ length: 200 }, (_unused, index) => ({
        name: 'device.enrolled',
        data: {
          event: {
            id: `${batch}-${index}`,
            account: 'default',
            type: 'device.enrolled',
            at: '2026-01-01T00:00:00Z',
            receivedAt: '2026-01-01T00:00:00Z',
            source: 'webhook' as const,
            data: {},
          },
        },
      }));
      await queue.addBulk(jobs);
    }
    expect(await queue.getWaitingCount()).toBe(2000);
    // Two entries for each job without the limit.
    expect(await redis().xlen('test:events:events')).toBeLessThan(400);
  } finally {
    await queue.close();
  }
});
