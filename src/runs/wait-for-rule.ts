import { GRACE_PERIODS, nextGraceCheck } from '../queues/grace-period.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import type { RunSession } from './run-session.js';

/** Lets a run wait while its rule is in no rule file, and fails the run when the grace period is over. A replay does not wait. */
export async function waitForRule(run: RunSession, rule: string): Promise<JobOutcome> {
  const { ruleMissingSince, replays = 0 } = run.data();
  const missingSince = ruleMissingSince === undefined ? Date.now() : Date.parse(ruleMissingSince);
  const recheckAt = replays > 0 ? undefined : nextGraceCheck(missingSince, GRACE_PERIODS.run);
  const code = 'run/rule-missing';
  if (recheckAt === undefined) {
    const reason = `the rule "${rule}" is in no rule file: restore it and replay the event`;
    return run.fail({ reason, code });
  }
  const reason = `the rule "${rule}" is in no rule file: its run waits ten minutes for it`;
  return run.wait(recheckAt, { reason, code }, { ruleMissingSince: new Date(missingSince).toISOString() });
}
