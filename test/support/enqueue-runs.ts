import { finishEvent } from '../../src/coordination/process-event.js';
import type { EventStore } from '../../src/coordination/process-event.js';
import type { RunTarget } from '../../src/coordination/enqueue-runs.js';
import type { RunJob } from '../../src/queues/jobs.js';

/** Enqueues the runs of an event, as the event worker does. */
export async function enqueueRuns(
  jobs: readonly RunJob[],
  target: RunTarget & Omit<EventStore, 'redaction'>,
): Promise<void> {
  const [first] = jobs;
  if (first === undefined) return;
  const end = { changes: {}, jobs, leavesOrder: false, place: undefined };
  await finishEvent(first.event, end, { ...target, redaction: { redact: (text) => text } });
}
