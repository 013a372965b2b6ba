/**
 * Measures how many events per second one worker process finishes, against the drain of BullMQ itself: a worker process whose handler
 * does nothing. Both process what waits in the same Redis and take turns in every round, so that the shares stay valid when the speed
 * of the machine changes. A frozen process does not work while the events of its turn are posted.
 *
 *   npm run build && npm run bench:pipeline -- --events 2000 --rounds 5
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { redisSize, startRedis } from './own-redis.js';
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
import type { BenchProcess } from './processes.js';
import { unfinishedJobs, unfinishedWork, untilDone } from './queue-state.js';
import { countCommands, formatCounts } from './redis-commands.js';
import { median, print, spread, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    /** Jobs that BullMQ's worker processes at a time. */
    'plain-concurrency': { type: 'string', default: '10' },
    kinds: { type: 'string', default: 'nothing,log,group,device' },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
/** BullMQ is much faster: more jobs make its turn long enough to measure. */
const plainJobs = 8 * events;

/** The kinds of events: the prefix of the serial number decides which rule matches. */
const KINDS = {
  nothing: 'matches nothing',
  log: 'one log step',
  group: 'one group assignment',
  device: 'one group assignment, reads the device',
};
type Kind = keyof typeof KINDS;
const isKind = (name: string): name is Kind => name in KINDS;
const kinds = values.kinds.split(',').filter(isKind);

const RULES = `
rules:
  - id: log
    on: device.enrolled
    if: event.data.device.serial_number.startsWith("log")
    limit: { runs: 1000000, per: 1h }
    do: [log: "{{ event.data.device.serial_number }} enrolled"]
  - id: group
    on: device.enrolled
    if: event.data.device.serial_number.startsWith("group")
    limit: { runs: 1000000, per: 1h }
    do: [assign_device_group: { group: 41 }]
  - id: device
    on: device.enrolled
    if: event.data.device.serial_number.startsWith("device") && device.name != ""
    limit: { runs: 1000000, per: 1h }
    do: [assign_device_group: { group: 41 }]
`;

const redis = await startRedis();
const rules = await ruleFile(RULES);

const eventsLeft = unfinishedWork(redis.client);
const plainLeft = unfinishedJobs(redis.client, 'bull', ['plain']);

/** One turn of a worker: jobs per second, and the CPU time of its process and of Redis per job. */
interface Turn {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly redisCpuMs: number;
}

/** Lets a frozen worker process all that waits. */
async function drain(worker: BenchProcess, jobs: number, left: () => Promise<number>): Promise<Turn> {
  if ((await left()) < jobs) throw new Error(`fewer than ${jobs} jobs wait`);
  const cpuBefore = await cpuTime(worker.pid);
  const redisCpuBefore = await cpuTime(redis.pid);
  const startedAt = performance.now();
  worker.thaw();
  await untilDone(left);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuMs = ((await cpuTime(worker.pid)) - cpuBefore) / jobs;
  const redisCpuMs = ((await cpuTime(redis.pid)) - redisCpuBefore) / jobs;
  worker.freeze();
  return { perSecond: jobs / seconds, cpuMs, redisCpuMs };
}

const parseJson = (text: string): unknown => JSON.parse(text);

try {
  const api = await forkServer('bare-api');
  const env = serviceEnv({ redis: redis.url, rules: rules.path, api: api.url });
  const receiver = await startRole('receiver', env);
  const worker = await startRole('worker', env);
  const plain = await forkServer('plain-worker', {
    REDIS_URL: redis.url,
    CONCURRENCY: values['plain-concurrency'],
  });
  worker.freeze();
  plain.freeze();
  const plainQueue = new Queue('plain', { connection: redis.client });

  const postEvents = async (kind: Kind): Promise<void> => {
    const bodies = Array.from({ length: events }, () => enrollment(kind));
    const { refused } = await postAll(webhookUrl(receiver), bodies, 20);
    if (refused > 0) throw new Error(`${refused} webhooks were refused`);
  };
  const addPlainJobs = async (): Promise<void> => {
    for (let added = 0; added < plainJobs; added += 500) {
      await plainQueue.addBulk(
        Array.from({ length: Math.min(500, plainJobs - added) }, () => {
          const body = enrollment('nothing');
          const jobId = createHash('sha256').update(body).digest('hex');
          return {
            name: 'event',
            data: { event: parseJson(body) },
            opts: { jobId },
          };
        }),
      );
    }
  };

  const turns = new Map<Kind, (Turn & { share: number; keys: number; bytes: number })[]>(
    kinds.map((kind) => [kind, []]),
  );
  const plainTurns: Turn[] = [];
  const commandsOf = new Map<Kind, string>();
  print(
    `${events} events of each kind per round, ${rounds} rounds after one warm-up; Node ${process.version}`,
  );
  for (let round = 0; round <= rounds; round += 1) {
    await addPlainJobs();
    const baseline = await drain(plain, plainJobs, plainLeft);
    // Finished jobs stay, as by default in BullMQ, where keeping is faster than removing.
    await plainQueue.obliterate({ force: true });
    if (round > 0) plainTurns.push(baseline);
    for (const kind of kinds) {
      const before = await redisSize(redis.client);
      const { posts } = await callCounts(api);
      await postEvents(kind);
      if (round === 0) {
        // MONITOR costs Redis much, so only the warm-up counts commands.
        const commands = await countCommands(redis.client, async () => {
          await drain(worker, events, eventsLeft);
        });
        commandsOf.set(kind, formatCounts(commands, events));
        continue;
      }
      const turn = await drain(worker, events, eventsLeft);
      const after = await redisSize(redis.client);
      const assigned = (await callCounts(api)).posts - posts;
      const expected = kind === 'group' || kind === 'device' ? events : 0;
      if (assigned !== expected) throw new Error(`${assigned} assignments instead of ${expected}`);
      turns.get(kind)?.push({
        ...turn,
        share: (100 * turn.perSecond) / baseline.perSecond,
        keys: (after.keys - before.keys) / events,
        bytes: (after.bytes - before.bytes) / events,
      });
    }
  }
  const figures = (kind: Kind, name: keyof NonNullable<ReturnType<typeof turns.get>>[number]): number[] =>
    (turns.get(kind) ?? []).map((turn) => turn[name]);
  print(
    table([
      ['kind of event', 'events/s (min-max)', '% of BullMQ', 'CPU ms/event', 'Redis CPU ms', 'keys', 'bytes'],
      [
        'BullMQ, empty handler',
        spread(plainTurns.map((turn) => turn.perSecond)),
        '100',
        median(plainTurns.map((turn) => turn.cpuMs)).toFixed(2),
        median(plainTurns.map((turn) => turn.redisCpuMs)).toFixed(2),
      ],
      ...kinds.map((kind) => [
        KINDS[kind],
        spread(figures(kind, 'perSecond')),
        spread(figures(kind, 'share'), 1),
        median(figures(kind, 'cpuMs')).toFixed(2),
        median(figures(kind, 'redisCpuMs')).toFixed(2),
        median(figures(kind, 'keys')).toFixed(1),
        median(figures(kind, 'bytes')).toFixed(0),
      ]),
    ]),
  );
  print('\nRedis commands per event, from the warm-up:');
  for (const [kind, text] of commandsOf) print(`${KINDS[kind]}: ${text}`);
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
