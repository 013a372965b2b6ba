import type { Queue } from 'bullmq';
import type { RunJob } from '../queues/jobs.js';
import { wakeJob } from '../queues/queues.js';
import type { Turn, TurnRequest, Turns } from './turns.js';

/** The lines of runs and the queue in which they are. */
export interface Lines {
  readonly turns: Turns;
  readonly runs: Queue<RunJob>;
}

/** More runs in a row that never left their line are not to be expected. */
const MOST_GONE = 20;

/** Asks for a run's turn. A run that stands in its way and will never come is taken out of the line; one whose place it takes is told. */
export async function takeTurn(request: TurnRequest, lines: Lines): Promise<Turn> {
  for (let tries = 0; ; tries += 1) {
    const turn = await lines.turns.ask(request);
    if (turn.kind === 'go') {
      if (turn.replaced !== undefined) await wakeJob(lines.runs, turn.replaced);
      return turn;
    }
    const other = turn.kind === 'wait' ? turn.behind : turn.because;
    if (other === '' || tries >= MOST_GONE || !(await isGone(other, lines))) return turn;
    await lines.turns.forget(request.line, other);
  }
}

/** Whether a run will never leave its line: its job was removed, or ended without leaving. */
async function isGone(run: string, { runs }: Lines): Promise<boolean> {
  const state = await runs.getJobState(run);
  return state === 'unknown' || state === 'completed' || state === 'failed';
}

/** Leaves a line and wakes the run that is first in it now. */
export async function leaveLine(line: string, run: string, { turns, runs }: Lines): Promise<void> {
  const next = await turns.leave(line, run);
  if (next !== undefined) await wakeJob(runs, next);
}
