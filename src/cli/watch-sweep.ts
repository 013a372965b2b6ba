import { setTimeout as delay } from 'node:timers/promises';
import { readAccounts } from '../config/accounts.js';
import type { Settings } from '../config/settings.js';
import { queueState } from '../console/queue-state.js';
import type { QueueRow } from '../console/queue-state.js';
import { ENDED_BY_OTHERS } from '../console/wait-reason.js';
import { openScheduleQueue, openSweepQueue } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import type { Shards } from '../queues/shards.js';
import { sweepJobId } from '../schedules/schedule-queue.js';
import type { Dialog } from './dialog.js';
import { escapeControlCharacters } from './terminal.js';

/** The sweep of a tick in all accounts. */
interface SweepTotals {
  /** The accounts whose sweep has not ended. */
  readonly unfinished: number;
  readonly evaluated: number;
  readonly emitted: number;
  /** Why sweeps failed. */
  readonly failures: readonly string[];
}

/** The time between two looks grows: a short sweep ends promptly, and a long one costs Redis little. */
const FIRST_POLL_MS = 500;
const MAX_POLL_MS = 2000;
const POLL_GROWTH = 1.25;
/** Between the end of a job and the start of the next one, nothing of the rule may wait: a rule is done when this many looks agree. */
const QUIET_LOOKS = 3;

/** What watching needs. */
interface WatchContext {
  readonly shards: Shards;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly dialog: Dialog;
}

/**
 * Shows the progress of a sweep until its runs are done, or Ctrl-C. The sweep does not depend on it.
 *
 * @param tick - The id of the job of the tick.
 * @returns What was done, or where to look.
 */
export async function watchSweep(rule: string, tick: string, context: WatchContext): Promise<string> {
  const queues = openSweepQueues(context);
  try {
    return await watch(rule, tick, queues, context);
  } finally {
    await queues.close();
  }
}

async function watch(
  rule: string,
  tick: string,
  queues: SweepQueues,
  { shards, settings, dialog }: WatchContext,
): Promise<string> {
  let quietLooks = 0;
  let pollMs = FIRST_POLL_MS;
  while (!dialog.signal.aborted) {
    const sweep = await readSweep(tick, queues);
    if (sweep === undefined) dialog.progress(`${rule}: waits for a worker`);
    else {
      const { rows } = await queueState(shards, settings.API_RATE);
      const ofRule = rows.filter((row) => row.rule === rule);
      const moving = ofRule.filter(({ reason }) => !ENDED_BY_OTHERS.has(reason));
      const left = sum(moving);
      const about = moving.some(({ isEstimate }) => isEstimate) ? 'about ' : '';
      dialog.progress(
        `${rule}: ${sweep.evaluated} devices checked, ${sweep.emitted} events${sweep.unfinished === 0 ? '' : ' so far'}, ${about}${left} left`,
      );
      quietLooks = sweep.unfinished === 0 && left === 0 ? quietLooks + 1 : 0;
      if (quietLooks >= QUIET_LOOKS) return doneText(rule, sweep, ofRule);
    }
    await delay(pollMs, undefined, { signal: dialog.signal }).catch(() => undefined);
    pollMs = Math.min(pollMs * POLL_GROWTH, MAX_POLL_MS);
  }
  return `${rule} goes on without this command; "mdm-reflex queue" shows its progress`;
}

function doneText(
  rule: string,
  { evaluated, emitted, failures }: SweepTotals,
  rows: readonly QueueRow[],
): string {
  const waiting = rows.map(({ count, text }) => `${count} ${text}`);
  return [
    `${rule} is done: ${evaluated} devices checked, ${emitted} ${emitted === 1 ? 'event' : 'events'}`,
    ...(waiting.length > 0 ? [`not done yet: ${waiting.join('; ')}`] : []),
    ...failures.map((failure) => `the sweep failed: ${escapeControlCharacters(failure)}`),
    `"mdm-reflex events --type schedule.${rule}" lists the events`,
  ].join('\n');
}

function sum(rows: readonly QueueRow[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

/** The queues that tell about a sweep. */
interface SweepQueues {
  readonly schedules: ReturnType<typeof openScheduleQueue>;
  /** By account. */
  readonly sweeps: ReadonlyMap<string, ReturnType<typeof openSweepQueue>>;
  readonly close: () => Promise<void>;
}

function openSweepQueues({ shards, settings, env }: WatchContext): SweepQueues {
  const retention = retentionOf(settings);
  const schedules = openScheduleQueue(shards.home, retention);
  const byShard = new Map(shards.all.map((shard) => [shard, openSweepQueue(shard, retention)]));
  const sweeps = new Map(
    [...readAccounts(settings, env, []).keys()].flatMap((account) => {
      const queue = byShard.get(shards.of(account));
      return queue === undefined ? [] : [[account, queue] as const];
    }),
  );
  return {
    schedules,
    sweeps,
    close: async () => {
      await Promise.all([schedules.close(), ...[...byShard.values()].map((queue) => queue.close())]);
    },
  };
}

/** Undefined until a worker has started the sweeps. */
async function readSweep(tick: string, { schedules, sweeps }: SweepQueues): Promise<SweepTotals | undefined> {
  // A worker that has handled the tick has added the sweeps.
  if ((await schedules.getJobState(tick)) !== 'completed') return undefined;
  let unfinished = 0;
  let evaluated = 0;
  let emitted = 0;
  const failures: string[] = [];
  for (const [account, queue] of sweeps) {
    const job = await queue.getJob(sweepJobId({ id: tick }, account));
    if (job === undefined) continue;
    const state = await job.getState();
    if (state === 'failed') failures.push(`${account}: ${job.failedReason}`);
    else if (state !== 'completed' && state !== 'unknown') unfinished += 1;
    evaluated += job.data.progress?.evaluated ?? 0;
    emitted += job.data.progress?.emitted ?? 0;
  }
  return { unfinished, evaluated, emitted, failures };
}
