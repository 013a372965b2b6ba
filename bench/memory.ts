/**
 * Sends many events through one process and prints its resident memory and that of Redis on the way. Half of the events match a rule
 * that reads the device and writes to the log. Memory that grows with the number of events shows as growth after the first samples.
 *
 *   npm run build && npm run bench:memory -- --events 200000
 */
import { parseArgs } from 'node:util';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { redisSize, startRedis } from './own-redis.js';
import {
  endProcesses,
  forkServer,
  residentMemory,
  ruleFile,
  serviceEnv,
  startRole,
  webhookUrl,
} from './processes.js';
import { unfinishedWork, untilDone } from './queue-state.js';
import { print, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    /** Events between two samples. */
    sample: { type: 'string', default: '20000' },
    /** The setting KEEP_EVENTS of the service. */
    keep: { type: 'string' },
  },
});
const events = Number(values.events);
const sample = Number(values.sample);
/** Posted at once; then the bench waits until they are finished, so that the process is not measured with a full queue. */
const BATCH = 1000;

const RULES = `
rules:
  - id: small
    on: device.enrolled
    if: event.data.device.serial_number.startsWith("log") && device.name != ""
    limit: { runs: 1000000, per: 1h }
    do: [log: "{{ device.name }} enrolled"]
`;

const redis = await startRedis();
const rules = await ruleFile(RULES);
try {
  const api = await forkServer('bare-api');
  const service = await startRole('serve', {
    ...serviceEnv({ redis: redis.url, rules: rules.path, api: api.url }),
    ...(values.keep !== undefined && { KEEP_EVENTS: values.keep }),
  });
  const left = unfinishedWork(redis.client);
  print(`${events} events through one process, ${BATCH} at a time; Node ${process.version}`);
  const rows = [['events', 'RSS MB', 'of the first sample', 'Redis MB', 'keys', 'bytes/event', 'events/s']];
  let first = NaN;
  const startedAt = performance.now();
  for (let sent = 0; sent < events;) {
    const bodies = Array.from({ length: BATCH }, (_unused, index) =>
      enrollment(index % 2 === 0 ? 'log' : 'C02'),
    );
    const { refused } = await postAll(webhookUrl(service), bodies, 20);
    if (refused > 0) throw new Error(`${refused} webhooks were refused`);
    sent += BATCH;
    await untilDone(left, 20);
    if (sent % sample !== 0) continue;
    const memory = await residentMemory(service.pid);
    if (Number.isNaN(first)) first = memory;
    const { bytes, keys } = await redisSize(redis.client);
    rows.push([
      String(sent),
      memory.toFixed(0),
      `${((100 * memory) / first).toFixed(0)} %`,
      (bytes / 2 ** 20).toFixed(0),
      String(keys),
      (bytes / sent).toFixed(0),
      ((1000 * sent) / (performance.now() - startedAt)).toFixed(0),
    ]);
    process.stderr.write(`${rows.at(-1)?.join('  ') ?? ''}\n`);
  }
  print(table(rows));
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
