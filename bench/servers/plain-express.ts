/** Baseline (a): the simplest Express handler that awaits `queue.add`. No token, no validation, no id, no journal. */
import express from 'express';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const queue = new Queue('plain', {
  connection: new Redis(process.env['REDIS_URL'] ?? '', { maxRetriesPerRequest: null }),
});
const app = express();
app.post('/', express.json(), async (request, response) => {
  const job = await queue.add('webhook', request.body);
  response.status(202).json({ id: job.id });
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`);
});
