import type { JobState, Queue } from 'bullmq';

/** The state of a job that will run; undefined when the job has finished or was removed. */
export async function unfinishedJobState(queue: Queue, id: string): Promise<JobState | undefined> {
  const state = await queue.getJobState(id);
  return state === 'unknown' || state === 'completed' || state === 'failed' ? undefined : state;
}
