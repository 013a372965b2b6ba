import type { Queue } from 'bullmq';
import type { RunJob } from '../queues/jobs.js';
import { wakeJob } from '../queues/queues.js';
import type { SlotResult, SlotRequest, ConcurrencyGroups } from './concurrency-groups.js';

/** The lines of runs and the queue in which they are. */
export interface SlotContext {
  readonly groups: ConcurrencyGroups;
  readonly runs: Queue<RunJob>;
}

/** More runs in a row that never left their line are not to be expected. */
const MAX_ABANDONED_RUNS = 20;

/** Asks for a run's turn. A run that stands in its way and will never come is taken out of the line; one whose place it takes is told. */
export async function acquireSlot(request: SlotRequest, lines: SlotContext): Promise<SlotResult> {
  for (let tries = 0; ; tries += 1) {
    const turn = await lines.groups.request(request);
    if (turn.kind === 'go') {
      if (turn.replaced !== undefined) await wakeJob(lines.runs, turn.replaced);
      return turn;
    }
    const other = turn.kind === 'wait' ? turn.behind : turn.because;
    if (other === '' || tries >= MAX_ABANDONED_RUNS || !(await isOver(other, lines))) return turn;
    await lines.groups.remove(request.group, other);
  }
}

/** Whether a run will never leave its line: its job was removed, or ended without leaving. */
async function isOver(run: string, { runs }: SlotContext): Promise<boolean> {
  const state = await runs.getJobState(run);
  return state === 'unknown' || state === 'completed' || state === 'failed';
}

/** Leaves a line and wakes the run that is first in it now. */
export async function releaseSlot(line: string, run: string, { groups, runs }: SlotContext): Promise<void> {
  const next = await groups.leave(line, run);
  if (next !== undefined) await wakeJob(runs, next);
}
