import { readCallCosts } from '../coordination/call-costs.js';
import { openApprovals } from '../coordination/approvals.js';
import { readBacklog } from '../coordination/read-backlog.js';
import type { BacklogRow } from '../coordination/read-backlog.js';
import { openRunLimits } from '../coordination/run-limits.js';
import { laneOf } from '../queues/jobs.js';
import type { Lane } from '../queues/jobs.js';
import { EVENTS, RUNS } from '../queues/queues.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shard, Shards } from '../queues/shards.js';
import { isScheduleType, ruleOfScheduleType } from '../rules/model/event-pattern.js';
import { estimateCalls } from './estimate-calls.js';
import { sampleDelayed, sampleInFlight } from './sample-jobs.js';
import type { JobSample } from './sample-jobs.js';
import { readSweeps } from './sweep-state.js';
import type { SweepState } from './sweep-state.js';
import { ENDED_BY_OTHERS, WAIT_REASON_TEXTS, waitReasonOf } from './wait-reason.js';
import type { WaitReason } from './wait-reason.js';

/** Jobs of one kind that wait for the same reason. */
export interface QueueRow {
  readonly queue: 'events' | 'runs';
  readonly lane: Lane;
  readonly account: string;
  /** The rule of the runs, or whose schedule emitted the events. Left out for events of webhooks, and where several rules wait together. */
  readonly rule?: string;
  readonly reason: WaitReason;
  /** The reason as people read it. */
  readonly text: string;
  readonly count: number;
  /** True when the count is an estimate from a sample of the jobs. */
  readonly isEstimate: boolean;
  /** When the oldest job was added, ISO 8601; of a sample, the oldest in it. */
  readonly oldest: string;
}

/** When the jobs of a lane of an account are done, if no more come. Bulk jobs come after the interactive ones. */
export interface LaneEstimate {
  readonly account: string;
  readonly lane: Lane;
  /** The jobs that are in progress or wait for their turn. Those that wait for a person, a step or inventory are not counted. */
  readonly jobs: number;
  /** How many API calls they need; left out when no job of their kind has finished yet. */
  readonly calls?: number;
  /** When those calls are made at `API_RATE`, ISO 8601; left out when the number of calls is unknown. */
  readonly doneAt?: string;
}

/** What waits, and for how long. */
export interface QueueState {
  readonly at: string;
  /** `API_RATE`: calls per second and account. */
  readonly apiRate: number;
  readonly rows: readonly QueueRow[];
  readonly sweeps: readonly SweepState[];
  readonly estimates: readonly LaneEstimate[];
}

/**
 * Reads what waits: the backlog and what people decide on by count, other jobs by count and a sample. The cost does not grow with the number of waiting jobs.
 *
 * @param apiRate - `API_RATE`.
 */
export async function queueState(shards: Shards, apiRate: number, now = Date.now()): Promise<QueueState> {
  const [rows, held, approvals, sweeps] = await Promise.all([
    fromAllShards(shards, rowsOfShard),
    fromAllShards(shards, heldRows),
    approvalRows(shards),
    readSweeps(shards),
  ]);
  const heldRules = new Set(held.map(({ account, rule }) => `${account}:${rule ?? ''}`));
  const others = rows.filter(({ account, rule = '', reason }) => {
    // Counted exactly by their own stores, where the rows of runs behind held ones are counted as well.
    if (reason === 'held' || reason === 'approval') return false;
    return !(reason === 'slot' && heldRules.has(`${account}:${rule}`));
  });
  const all = [...others, ...held, ...approvals].sort(
    (a, b) =>
      a.account.localeCompare(b.account) ||
      b.lane.localeCompare(a.lane) ||
      a.queue.localeCompare(b.queue) ||
      (a.rule ?? '').localeCompare(b.rule ?? '') ||
      a.reason.localeCompare(b.reason),
  );
  return {
    at: new Date(now).toISOString(),
    apiRate,
    rows: all,
    sweeps,
    estimates: await estimatesOf(all, shards, apiRate, now),
  };
}

async function rowsOfShard(shard: Shard): Promise<QueueRow[]> {
  const backlog = await readBacklog(shard);
  const parts = await Promise.all(
    ([EVENTS, RUNS] as const).map(async (queue) => {
      const ofQueue = backlog.filter((row) => row.queue === queue);
      const oldest = ofQueue.map(({ oldestAt }) => oldestAt);
      const [inFlight, delayed] = await Promise.all([
        sampleInFlight(shard, queue),
        sampleDelayed(shard, queue, {
          inBacklog: ofQueue.reduce((sum, { waiting }) => sum + waiting, 0),
          oldestInBacklog: oldest.length === 0 ? undefined : Math.min(...oldest),
        }),
      ]);
      return [
        ...ofQueue.map((row) => backlogRow(queue, row)),
        ...sampleRows(queue, inFlight, () => 'in_flight'),
        ...sampleRows(queue, delayed, ({ job, attempts }) => waitReasonOf(job, attempts)),
      ];
    }),
  );
  return parts.flat();
}

function backlogRow(queue: QueueRow['queue'], row: BacklogRow): QueueRow {
  const rule = row.rule !== undefined && isScheduleType(row.rule) ? ruleOfScheduleType(row.rule) : row.rule;
  const reason = row.reason === 'window' ? 'turn' : 'account';
  return {
    queue,
    lane: row.lane,
    account: row.account,
    // Events of other types have no rule.
    ...(rule !== undefined && (queue === RUNS || rule !== row.rule) && { rule }),
    reason,
    text: WAIT_REASON_TEXTS[reason],
    count: row.waiting,
    isEstimate: false,
    oldest: new Date(row.oldestAt).toISOString(),
  };
}

/** Counts the jobs of a sample by what they are and wait for, and scales the counts to the number of jobs that the sample stands for. */
function sampleRows(
  queue: QueueRow['queue'],
  { jobs, total }: JobSample,
  reasonOf: (sampled: JobSample['jobs'][number]) => WaitReason,
): QueueRow[] {
  const groups = new Map<
    string,
    { row: Omit<QueueRow, 'count' | 'isEstimate' | 'oldest'>; addedAt: number[] }
  >();
  for (const sampled of jobs) {
    const { event, rule, lane } = sampled.job;
    const ofRule = rule?.id ?? (isScheduleType(event.type) ? ruleOfScheduleType(event.type) : undefined);
    const reason = reasonOf(sampled);
    const row = {
      queue,
      lane: laneOf({ lane }),
      account: event.account,
      ...(ofRule !== undefined && { rule: ofRule }),
      reason,
      text: WAIT_REASON_TEXTS[reason],
    };
    const key = JSON.stringify(row);
    const group = groups.get(key) ?? { row, addedAt: [] };
    groups.set(key, group);
    group.addedAt.push(sampled.addedAt);
  }
  const isEstimate = total > jobs.length;
  const scale = isEstimate ? total / jobs.length : 1;
  return [...groups.values()].map(({ row, addedAt }) => ({
    ...row,
    count: Math.round(addedAt.length * scale),
    isEstimate,
    oldest: new Date(Math.min(...addedAt)).toISOString(),
  }));
}

async function heldRows(shard: Shard): Promise<QueueRow[]> {
  const held = await openRunLimits(shard).listHeld();
  return held
    .filter(({ waitingRuns }) => waitingRuns > 0)
    .map(({ account, rule, waitingRuns, since }) => personRow('held', account, rule, waitingRuns, since));
}

async function approvalRows({ home }: Shards): Promise<QueueRow[]> {
  const byRule = new Map<string, QueueRow>();
  for (const { account, rule, requestedAt } of await openApprovals(home).list()) {
    const key = `${account}:${rule}`;
    const before = byRule.get(key);
    const oldest = before === undefined || requestedAt < before.oldest ? requestedAt : before.oldest;
    byRule.set(key, personRow('approval', account, rule, (before?.count ?? 0) + 1, oldest));
  }
  return [...byRule.values()];
}

function personRow(
  reason: 'held' | 'approval',
  account: string,
  rule: string,
  count: number,
  oldest: string,
): QueueRow {
  return {
    queue: RUNS,
    lane: 'interactive',
    account,
    rule,
    reason,
    text: WAIT_REASON_TEXTS[reason],
    count,
    isEstimate: false,
    oldest,
  };
}

async function estimatesOf(
  rows: readonly QueueRow[],
  shards: Shards,
  apiRate: number,
  now: number,
): Promise<LaneEstimate[]> {
  const moving = rows.filter(({ reason }) => !ENDED_BY_OTHERS.has(reason));
  const accounts = [...new Set(moving.map(({ account }) => account))];
  const parts = await Promise.all(
    accounts.map(async (account) => {
      const costs = await readCallCosts(shards.of(account), account);
      let callsBefore: number | undefined = 0;
      return (['interactive', 'bulk'] as const).flatMap((lane): LaneEstimate[] => {
        const jobs = moving
          .filter((row) => row.account === account && row.lane === lane)
          .map(({ queue, rule, count }) => ({ queue, rule, count }));
        const calls = estimateCalls(jobs, costs);
        const callsUntilDone: number | undefined =
          calls === undefined || callsBefore === undefined ? undefined : callsBefore + calls;
        callsBefore = callsUntilDone;
        if (jobs.length === 0) return [];
        return [
          {
            account,
            lane,
            jobs: jobs.reduce((sum, { count }) => sum + count, 0),
            ...(calls !== undefined && { calls }),
            ...(callsUntilDone !== undefined && {
              doneAt: new Date(now + (callsUntilDone / apiRate) * 1000).toISOString(),
            }),
          },
        ];
      });
    }),
  );
  return parts.flat();
}
