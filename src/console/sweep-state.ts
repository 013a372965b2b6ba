import { z } from 'zod';
import { pipelineResults } from '../queues/connection.js';
import { sweepJob } from '../queues/jobs.js';
import { SWEEPS } from '../queues/queues.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shard, Shards } from '../queues/shards.js';
import { lastSweeps } from '../schedules/last-sweeps.js';

/** A sweep that has not ended. */
export interface SweepState {
  readonly account: string;
  readonly rule: string;
  /** `running`: a worker has the sweep; `queued`: it waits for a worker; `delayed`: it waits for a retry or its turn. */
  readonly state: 'running' | 'queued' | 'delayed';
  /** When the tick of the sweep was due, ISO 8601. */
  readonly scheduledAt: string;
  /** The number of devices evaluated. */
  readonly evaluated: number;
  /** How many devices the last complete sweep had; left out before the first one. */
  readonly devices?: number;
  /** The number of events emitted. */
  readonly emitted: number;
}

/** There is one sweep per rule and account at a time. */
const MAX_SWEEPS = 200;

const jobData = z.string().nullable();

/** Reads the sweeps that have not ended, at most {@link MAX_SWEEPS} of each state and shard. */
export async function readSweeps(shards: Shards): Promise<SweepState[]> {
  const sweeps = await fromAllShards(shards, readSweepsOfShard);
  const last = new Map(
    await Promise.all(
      [...new Set(sweeps.map(({ rule }) => rule))].map(
        async (rule) => [rule, await lastSweeps(shards.home, rule)] as const,
      ),
    ),
  );
  return sweeps.map((sweep) => {
    const before = last.get(sweep.rule)?.[sweep.account];
    const isKnown = before !== undefined && before.incomplete === undefined && before.evaluated > 0;
    return { ...sweep, ...(isKnown && { devices: before.evaluated }) };
  });
}

async function readSweepsOfShard({ redis, prefix }: Shard): Promise<SweepState[]> {
  const key = (name: string): string => `${prefix}:${SWEEPS}:${name}`;
  const [active, waiting, prioritized, delayed] = await Promise.all([
    redis.lrange(key('active'), 0, MAX_SWEEPS - 1),
    redis.lrange(key('wait'), -MAX_SWEEPS, -1),
    redis.zrange(key('prioritized'), '0', String(MAX_SWEEPS - 1)),
    redis.zrange(key('delayed'), '0', String(MAX_SWEEPS - 1)),
  ]);
  const jobs = [
    ...active.map((id) => ({ id, state: 'running' as const })),
    ...[...waiting, ...prioritized].map((id) => ({ id, state: 'queued' as const })),
    ...delayed.map((id) => ({ id, state: 'delayed' as const })),
  ];
  const pipeline = redis.pipeline();
  for (const { id } of jobs) pipeline.hget(key(id), 'data');
  const results = pipelineResults(await pipeline.exec());
  return jobs.flatMap(({ state }, index): SweepState[] => {
    const data = jobData.parse(results[index]);
    const job = sweepJob.safeParse(JSON.parse(data ?? 'null'));
    if (!job.success) return [];
    const { account, rule, tick, progress } = job.data;
    const { evaluated = 0, emitted = 0 } = progress ?? {};
    return [{ account, rule, state, scheduledAt: tick.at, evaluated, emitted }];
  });
}
