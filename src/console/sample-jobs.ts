import { z } from 'zod';
import { BACKLOG_DELAY_MS } from '../queues/backlog-delay.js';
import { pipelineResults } from '../queues/connection.js';
import type { Shard } from '../queues/shards.js';
import { waitingJob } from './wait-reason.js';
import type { WaitingJob } from './wait-reason.js';

/** A job of a sample. */
export interface SampledJob {
  readonly job: WaitingJob;
  /** How many attempts have failed. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly addedAt: number;
}

/** Some jobs of many, and how many there are. */
export interface JobSample {
  readonly jobs: readonly SampledJob[];
  /** How many jobs the sample stands for. */
  readonly total: number;
}

/** Reading a job with its event costs about 5 KB. More jobs than this are estimated from a sample. */
export const SAMPLE_SIZE = 300;

/** BullMQ scores delayed jobs by time in milliseconds times this. */
const SCORE_PER_MS = 0x1000;
const fields = z.tuple([z.string(), z.string(), z.string().nullable(), z.string().nullable()]);

/**
 * The jobs of a queue that are delayed and not in the backlog: they wait in a step, for a retry, for a slot.
 *
 * @param oldestInBacklog - When the oldest job of the backlog was added, in epoch milliseconds; undefined without a backlog.
 * @param inBacklog - How many jobs the backlog has.
 */
export async function sampleDelayed(
  { redis, prefix }: Shard,
  queue: string,
  {
    inBacklog,
    oldestInBacklog,
  }: { readonly inBacklog: number; readonly oldestInBacklog: number | undefined },
): Promise<JobSample> {
  const key = `${prefix}:${queue}:delayed`;
  // Jobs of the backlog are due a day after they were put there, which is not before they were added.
  const bound =
    oldestInBacklog === undefined ? '+inf' : `(${(oldestInBacklog + BACKLOG_DELAY_MS) * SCORE_PER_MS}`;
  const [all, before] = await Promise.all([redis.zcard(key), redis.zcount(key, '-inf', bound)]);
  const total = Math.max(all - inBacklog, 0);
  if (total === 0) return { jobs: [], total };
  const ids = await idsAt(positions(before, SAMPLE_SIZE), (position) =>
    redis.zrange(key, String(position), String(position)),
  );
  // Behind the backlog are steps that wait for more than a day.
  if (bound !== '+inf' && ids.length < SAMPLE_SIZE) {
    const after = `(${(Date.now() + BACKLOG_DELAY_MS) * SCORE_PER_MS}`;
    ids.push(...(await redis.zrangebyscore(key, after, '+inf', 'LIMIT', 0, SAMPLE_SIZE - ids.length)));
  }
  return { jobs: await readJobs({ redis, prefix }, queue, ids), total };
}

/** The jobs of a queue that a worker has, or takes next. */
export async function sampleInFlight({ redis, prefix }: Shard, queue: string): Promise<JobSample> {
  const key = (name: string): string => `${prefix}:${queue}:${name}`;
  const [active, waiting, prioritized] = await Promise.all([
    redis.llen(key('active')),
    redis.llen(key('wait')),
    redis.zcard(key('prioritized')),
  ]);
  const parts = await Promise.all([
    redis.lrange(key('active'), 0, SAMPLE_SIZE / 3 - 1),
    redis.lrange(key('wait'), -SAMPLE_SIZE / 3, -1),
    redis.zrange(key('prioritized'), '0', String(SAMPLE_SIZE / 3 - 1)),
  ]);
  return {
    jobs: await readJobs({ redis, prefix }, queue, parts.flat()),
    total: active + waiting + prioritized,
  };
}

/** At most `count` positions of `size`, evenly spread. */
function positions(size: number, count: number): number[] {
  if (size <= count) return Array.from({ length: size }, (_, index) => index);
  return Array.from({ length: count }, (_, index) => Math.floor((index * size) / count));
}

async function idsAt(
  at: readonly number[],
  read: (position: number) => Promise<readonly string[]>,
): Promise<string[]> {
  return (await Promise.all(at.map(read))).flat();
}

async function readJobs(
  { redis, prefix }: Shard,
  queue: string,
  ids: readonly string[],
): Promise<SampledJob[]> {
  if (ids.length === 0) return [];
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(`${prefix}:${queue}:${id}`, 'data', 'timestamp', 'atm', 'delay');
  return pipelineResults(await pipeline.exec()).flatMap((result): SampledJob[] => {
    // A job that has ended since has no fields.
    const read = fields.safeParse(result);
    if (!read.success) return [];
    const [data, addedAt, attempts, delay] = read.data;
    if (delay === String(BACKLOG_DELAY_MS)) return [];
    const job = waitingJob.safeParse(JSON.parse(data));
    return job.success ? [{ job: job.data, attempts: Number(attempts ?? 0), addedAt: Number(addedAt) }] : [];
  });
}
