/**
 * Lets many devices enroll at once, with a rule that reads the device and acts on it, at the API rate of an account. Prints the reads
 * per event, the memory of the process on the way, and how long the backlog takes.
 *
 *   npm run build && npm run bench:burst -- --enrollments 10000 --rate 10     # as in real life: a quarter of an hour
 *   npm run bench:burst -- --enrollments 10000 --rate 200                     # the same in a minute
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { startRedis } from './own-redis.js';
import {
  callCounts,
  endProcesses,
  forkServer,
  residentMemory,
  ruleFile,
  serviceEnv,
  startRole,
  webhookUrl,
} from './processes.js';
import { unfinishedWork } from './queue-state.js';
import { print, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    enrollments: { type: 'string', default: '10000' },
    /** API calls per second. */
    rate: { type: 'string', default: '10' },
    /** How long the API takes to answer, in milliseconds. */
    delay: { type: 'string', default: '20' },
    /** Seconds between two samples. */
    sample: { type: 'string', default: '30' },
  },
});
const enrollments = Number(values.enrollments);

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.name.startsWith("Mac")
    limit: { runs: 1000000, per: 1h }
    do: [assign_device_group: { group: 41 }]
`;

const redis = await startRedis();
const rules = await ruleFile(RULES);
try {
  const api = await forkServer('bare-api', { API_DELAY_MS: values.delay });
  const service = await startRole('serve', {
    ...serviceEnv({ redis: redis.url, rules: rules.path, api: api.url }),
    API_RATE: values.rate,
  });
  const left = unfinishedWork(redis.client);
  const bodies = Array.from({ length: enrollments }, () => enrollment('C02'));
  const startedAt = performance.now();
  const accepted = await postAll(webhookUrl(service), bodies, 50);
  if (accepted.refused > 0) throw new Error(`${accepted.refused} webhooks were refused`);
  print(
    `${enrollments} enrollments, ${values.rate} calls/s, API answers in ${values.delay} ms; all accepted after ${((performance.now() - startedAt) / 1000).toFixed(1)} s; Node ${process.version}`,
  );
  const rows = [['seconds', 'acted', 'reads', 'RSS MB', 'jobs left']];
  const row = async (jobs: number): Promise<string[]> => {
    const { posts, reads } = await callCounts(api);
    const seconds = (performance.now() - startedAt) / 1000;
    const memory = await residentMemory(service.pid);
    return [seconds.toFixed(0), String(posts), String(reads), memory.toFixed(0), String(jobs)];
  };
  let nextSample = performance.now();
  for (let jobs = await left(); jobs > 0; jobs = await left()) {
    if (performance.now() >= nextSample) {
      const next = await row(jobs);
      rows.push(next);
      process.stderr.write(`${next.join('  ')}\n`);
      nextSample = performance.now() + 1000 * Number(values.sample);
    }
    await delay(200);
  }
  rows.push(await row(0));
  print(table(rows));
  const { posts, reads } = await callCounts(api);
  if (posts !== enrollments) throw new Error(`${posts} actions instead of ${enrollments}`);
  print(
    `reads per event: ${(reads / enrollments).toFixed(3)}; ${((performance.now() - startedAt) / 1000).toFixed(0)} s in total, ${((posts + reads) / Number(values.rate)).toFixed(0)} s of API calls`,
  );
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
