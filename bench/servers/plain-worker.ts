/** Baseline: a BullMQ worker whose handler does nothing, the upper bound of what a worker process can finish. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';

const worker = new Worker('plain', () => Promise.resolve(), {
  connection: new Redis(process.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: null }),
  concurrency: Number(process.env['CONCURRENCY'] ?? 10),
});
await worker.waitUntilReady();
process.send?.('ready');
