import { z } from 'zod';

/** What a job waits for. `in_flight`: a worker has the job, or takes it next. */
export type WaitReason =
  | 'in_flight'
  | 'turn'
  | 'account'
  | 'retry'
  | 'step'
  | 'inventory'
  | 'order'
  | 'slot'
  | 'rule'
  | 'held'
  | 'approval';

/** The reasons as people read them. */
export const WAIT_REASON_TEXTS: Readonly<Record<WaitReason, string>> = {
  in_flight: 'in progress',
  turn: 'waits for its turn',
  account: 'waits until SimpleMDM accepts calls of the account',
  retry: 'failed, and is retried',
  step: 'waits in a step',
  inventory: 'waits for inventory',
  order: 'waits for earlier events of its device',
  slot: 'waits for earlier runs of its device or key',
  rule: 'waits for its rule, which is in no rule file',
  held: 'waits for a person: the rule is held',
  approval: 'waits for a person: an approval',
};

/** The reasons that a person or time ends, and not the work that goes on. */
export const ENDED_BY_OTHERS: ReadonlySet<WaitReason> = new Set([
  'held',
  'approval',
  'step',
  'inventory',
  'rule',
]);

const step = z.object({
  status: z.string(),
  inventoryWait: z.unknown().optional(),
  inventoryWaitEndedAt: z.string().optional(),
});

/** The part of a job's data that tells what the job waits for. Anything may be missing: a job of another version must not hide the others. */
export const waitingJob = z.object({
  event: z.object({ account: z.string(), type: z.string(), source: z.string() }),
  lane: z.literal('bulk').optional(),
  rule: z.object({ id: z.string() }).optional(),
  steps: z.array(step).optional(),
  admitted: z.boolean().optional(),
  approvals: z.array(z.object({ answer: z.string().optional() })).optional(),
  inventoryWait: z.unknown().optional(),
  ruleMissingSince: z.string().optional(),
  waitReason: z.string().optional(),
});

/** The data of a waiting job. */
export type WaitingJob = z.output<typeof waitingJob>;

/**
 * What a delayed job waits for.
 *
 * @param attempts - How many attempts of the job have failed.
 */
export function waitReasonOf(job: WaitingJob, attempts: number): WaitReason {
  return job.rule === undefined ? reasonOfEvent(job, attempts) : reasonOfRun(job, attempts);
}

function reasonOfEvent({ inventoryWait }: WaitingJob, attempts: number): WaitReason {
  if (inventoryWait !== undefined) return 'inventory';
  return attempts > 0 ? 'retry' : 'order';
}

function reasonOfRun(
  { steps = [], approvals = [], admitted, ruleMissingSince, waitReason = '' }: WaitingJob,
  attempts: number,
): WaitReason {
  if (ruleMissingSince !== undefined) return 'rule';
  if (approvals.some(({ answer }) => answer === undefined)) return 'approval';
  const current = steps.find(({ status }) => !['completed', 'skipped', 'failed'].includes(status));
  if (current?.status === 'waiting') {
    const isInventory = current.inventoryWait !== undefined && current.inventoryWaitEndedAt === undefined;
    return isInventory ? 'inventory' : 'step';
  }
  if (current?.status === 'retrying') return 'retry';
  if (admitted !== true && waitReason.startsWith('the rule is held')) return 'held';
  if (attempts > 0) return 'retry';
  return admitted === true ? 'account' : 'slot';
}
