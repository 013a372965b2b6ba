/**
 * Measures how many runs per second 1, 2 and 4 worker processes finish when the API takes 20 ms for a call, and how many webhooks per
 * second 1 and 2 receivers accept. Worker processes share one Redis and one machine: with fewer CPUs than processes, the CPUs are the limit.
 *
 *   npm run build && npm run bench:scaling -- --events 2000 --delay 20 --rate 1000
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { startRedis } from './own-redis.js';
import {
  callCounts,
  cpuTime,
  endProcesses,
  forkServer,
  ruleFile,
  serviceEnv,
  startRole,
  webhookUrl,
} from './processes.js';
import { unfinishedWork, untilDone } from './queue-state.js';
import { median, print, spread, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    /** How long the API takes to answer, in milliseconds. */
    delay: { type: 'string', default: '20' },
    /** The API rate of the account. */
    rate: { type: 'string', default: '1000' },
    /** WORKER_CONCURRENCY of each worker process: with a small one, processes wait for the API instead of for the CPU. */
    concurrency: { type: 'string', default: '256' },
    workers: { type: 'string', default: '1,2,4' },
    receivers: { type: 'string', default: '1,2' },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
const numbers = (list: string): number[] => list.split(',').map(Number);

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    limit: { runs: 1000000, per: 1h }
    do: [assign_device_group: { group: 41 }]
`;

const redis = await startRedis();
const rules = await ruleFile(RULES);
try {
  const api = await forkServer('bare-api', { API_DELAY_MS: values.delay });
  const env = {
    ...serviceEnv({ redis: redis.url, rules: rules.path, api: api.url }),
    API_RATE: values.rate,
    WORKER_CONCURRENCY: values.concurrency,
  };
  const left = unfinishedWork(redis.client);
  print(
    `${events} events, ${rounds} rounds after one warm-up, API answers in ${values.delay} ms, API_RATE ${values.rate}, WORKER_CONCURRENCY ${values.concurrency}; ${cpus().length} CPUs, Node ${process.version}`,
  );

  const receivers = [await startRole('receiver', env)];
  const rows = [['worker processes', 'runs/s (min-max)', 'times one', 'CPUs used by workers']];
  let ofOne = NaN;
  for (const count of numbers(values.workers)) {
    const workers = await Promise.all(Array.from({ length: count }, () => startRole('worker', env)));
    const perSecond: number[] = [];
    const cpusUsed: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      for (const worker of workers) worker.freeze();
      const bodies = Array.from({ length: events }, () => enrollment('C02'));
      await postAll(webhookUrl(receivers[0] ?? workers[0] ?? api), bodies, 20);
      const { posts } = await callCounts(api);
      const cpu = async (): Promise<number> =>
        (await Promise.all(workers.map(({ pid }) => cpuTime(pid)))).reduce((sum, ms) => sum + ms, 0);
      const cpuBefore = await cpu();
      const startedAt = performance.now();
      for (const worker of workers) worker.thaw();
      await untilDone(left);
      const ms = performance.now() - startedAt;
      const made = (await callCounts(api)).posts - posts;
      if (made !== events) throw new Error(`${made} actions instead of ${events}`);
      if (round === 0) continue;
      perSecond.push((1000 * events) / ms);
      cpusUsed.push(((await cpu()) - cpuBefore) / ms);
    }
    if (count === 1) ofOne = median(perSecond);
    rows.push([
      String(count),
      spread(perSecond),
      (median(perSecond) / ofOne).toFixed(2),
      median(cpusUsed).toFixed(2),
    ]);
    await Promise.all(workers.map((worker) => worker.kill()));
  }
  print(table(rows));

  const receiverRows = [['receiver processes', 'webhooks/s (min-max)', 'times one']];
  for (const count of numbers(values.receivers)) {
    while (receivers.length < count) receivers.push(await startRole('receiver', env));
    const perSecond: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const startedAt = performance.now();
      await Promise.all(
        receivers.slice(0, count).map((receiver) => {
          const bodies = Array.from({ length: Math.floor(events / count) }, () => enrollment('C02'));
          return postAll(webhookUrl(receiver), bodies, Math.floor(50 / count));
        }),
      );
      if (round > 0) perSecond.push((1000 * events) / (performance.now() - startedAt));
    }
    if (count === 1) ofOne = median(perSecond);
    receiverRows.push([String(count), spread(perSecond), (median(perSecond) / ofOne).toFixed(2)]);
  }
  print(table(receiverRows));
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
