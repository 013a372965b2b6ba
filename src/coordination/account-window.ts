import type { Lane } from '../queues/jobs.js';
import type { Window, WindowJob } from '../queues/worker.js';
import type { Backlog, BacklogJob } from './backlog.js';

/** What the jobs of a queue belong to. */
export interface WindowOptions<T> {
  readonly accountOf: (data: T) => string;
  readonly laneOf: (data: T) => Lane;
  /** Whether jobs are added without a look at the backlog. */
  readonly asksFirst?: boolean;
}

/** The windows of the accounts of a queue, as its worker uses them. */
export function accountWindow<T>(
  backlog: Backlog,
  { accountOf, laneOf, asksFirst = false }: WindowOptions<T>,
): Window<T> {
  const jobOf = ({ id, name, data, addedAt }: WindowJob<T>): BacklogJob => ({
    id,
    lane: laneOf(data),
    account: accountOf(data),
    turn: name,
    at: addedAt,
  });
  return {
    asksFirst,
    ask: (job) => backlog.askAgain(jobOf(job), job.token),
    leave: (job) => backlog.leave(jobOf(job), job.token),
    placeOf: (job) => backlog.placeOf(jobOf(job), job.token),
    park: (job, until) => backlog.park(jobOf(job), job.token, until),
  };
}
