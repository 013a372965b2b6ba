import type { Queue } from 'bullmq';
import { unfinishedJobState } from '../queues/job-state.js';
import type { RunJob } from '../queues/jobs.js';
import { wakeJob } from '../queues/queues.js';
import type { ConcurrencyGroups, SlotRequest, SlotResult } from './concurrency-groups.js';

/** Concurrency groups and the queue of their runs. */
export interface SlotContext {
  readonly groups: ConcurrencyGroups;
  readonly runs: Queue<RunJob>;
}

/** A bound for the loop: this many runs in a row that never left their group are not expected. */
const MAX_ABANDONED_RUNS = 20;

/** Requests the slot of a group. Removes runs in front whose jobs are gone. Wakes the run that loses the slot, so that it ends. */
export async function acquireSlot(request: SlotRequest, context: SlotContext): Promise<SlotResult> {
  const { groups, runs } = context;
  for (let tries = 0; ; tries += 1) {
    const result = await groups.requestSlot(request);
    if (result.kind === 'acquired') {
      if (result.superseded !== undefined) await wakeJob(runs, result.superseded);
      return result;
    }
    const other = result.kind === 'waiting' ? result.behind : result.because;
    if (other === '' || tries >= MAX_ABANDONED_RUNS) return result;
    if ((await unfinishedJobState(runs, other)) !== undefined) return result;
    await groups.removeFinished(request.group, other);
  }
}
