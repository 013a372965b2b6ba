import type { Queue } from 'bullmq';
import type { Approvals, ApprovalDecision, ApprovalRequest } from '../coordination/approvals.js';
import { openBacklog } from '../coordination/backlog.js';
import type { RunJob } from '../queues/jobs.js';
import type { Shard } from '../queues/shards.js';
import { RUNS, wakeJob } from '../queues/queues.js';

/** A person's answer. */
export interface PersonalDecision {
  readonly answer: 'approved' | 'rejected';
  readonly via: 'link' | 'console' | 'command line';
  /** The name that the person gives. */
  readonly by?: string | undefined;
  readonly address?: string | undefined;
}

/** Where answers go. */
export interface DecisionTarget {
  readonly approvals: Approvals;
  /** The shard of the account. */
  readonly shard: Shard;
  readonly runs: Queue<RunJob>;
}

const MAX_NAME_LENGTH = 80;

/**
 * Answers a question and wakes its run.
 *
 * @returns The answer that counts and whether it is this one: somebody may have been faster. Undefined when there is no such question.
 */
export async function decideApproval(
  { id, run }: Pick<ApprovalRequest, 'id' | 'run'>,
  { answer, via, by, address }: PersonalDecision,
  { approvals, ...target }: DecisionTarget,
): ReturnType<Approvals['decide']> {
  const name = nameFrom(by);
  const decision: ApprovalDecision = {
    answer,
    at: new Date().toISOString(),
    via,
    ...(name !== undefined && { by: name }),
    ...(address !== undefined && { address }),
  };
  const result = await approvals.decide(id, decision);
  // A person waits for the run now, also when a sweep planned it.
  await openBacklog(target.shard, RUNS).makeInteractive(run);
  await wakeJob(target.runs, run);
  return result;
}

/** A name on one line; undefined when nothing visible is left. */
function nameFrom(given: string | undefined): string | undefined {
  const name = (given ?? '')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME_LENGTH);
  return name === '' ? undefined : name;
}
