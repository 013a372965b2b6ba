import type { JobHandle, JobOutcome } from '../queues/worker.js';
import type { Rule } from '../rules/model/rule.js';
import type { Logger } from '../telemetry/logger.js';

/** The rule of a tick, as it is in force here. */
export function scheduledRule(rules: readonly Rule[], id: string): Rule | undefined {
  return rules.find(({ source }) => source.id === id && source.schedule !== undefined);
}

/** While a deployment goes on, one worker may have a rule and another may not: what is due waits so long for one that has it. */
const GRACE_MS = 5 * 60_000;
const LOOK_AGAIN_MS = 5000;

/** What becomes of a job of a rule that is not there. */
export async function waitForRule<T extends { readonly absentSince?: number | undefined }>(
  job: JobHandle<T>,
  logger: Logger,
): Promise<JobOutcome> {
  const now = Date.now();
  const { absentSince } = job.data;
  if (absentSince !== undefined && now - absentSince >= GRACE_MS) {
    logger.warn('the time has come for a rule that is not there: nothing is done');
    return { kind: 'done' };
  }
  if (absentSince === undefined) {
    await job.save({ ...job.data, absentSince: now });
    logger.info('the time has come for a rule that is not there (yet): it waits for a worker that has it');
  }
  return { kind: 'again', at: now + LOOK_AGAIN_MS, waits: true, reason: 'no worker has the rule (yet)' };
}
