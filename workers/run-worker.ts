import type { Queue } from 'bullmq';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { RunJob } from '../src/queues/jobs.js';
import { secretsOf } from '../src/rules/model/rule-secrets.js';
import type { CompileOptions } from '../src/runs/compile-planned-rule.js';
import { compilePlannedRule } from '../src/runs/compile-planned-rule.js';
import { effectiveRule, liveRuleStateOf } from '../src/runs/effective-rule.js';
import type { ExecuteOptions } from '../src/runs/execute-run.js';
import { executeRun } from '../src/runs/execute-run.js';
import { openRunSession } from '../src/runs/run-session.js';
import { stepRecordsFor } from '../src/runs/step-records.js';
import type { AdmissionContext } from '../src/runs/wait-for-admission.js';
import { unknownAccount } from '../src/runs/unknown-account.js';
import { waitForAdmission } from '../src/runs/wait-for-admission.js';
import { waitForRule } from '../src/runs/wait-for-rule.js';
import { waitForGroupSlot } from '../src/runs/wait-for-group-slot.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { Logger } from '../src/telemetry/logger.js';

/** The parts of the run worker. */
export interface RunWorkerOptions extends CompileOptions, AdmissionContext, ExecuteOptions {
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly runs: Queue<RunJob>;
  readonly logger: Logger;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
}

/** Handles the queue "runs": checks that the run may start, then performs its steps. */
export function createRunHandler(options: RunWorkerOptions): (job: JobHandle<RunJob>) => Promise<JobOutcome> {
  return async (job) => {
    const { event, rule: plannedRule, steps, replays } = job.data;
    const run = openRunSession(job, options);
    const access = options.accounts.get(event.account);
    if (access === undefined) return run.fail(unknownAccount(event.account));

    const source = effectiveRule(job.data, run.currentRule);
    const state = liveRuleStateOf(source, run.currentRule, event.account);
    if (state.kind === 'missing') return waitForRule(run, source.id);
    if (run.data().ruleMissingSince !== undefined) run.clearWait();
    if (state.kind === 'stopped') return run.skip({ reason: state.reason, code: 'run/rule-changed' });
    const rule = compilePlannedRule(source, options);
    if (typeof rule === 'string')
      return run.fail({ reason: `the rule is not valid: ${rule}`, code: 'run/rule-invalid' });
    // An older version of a rule may use other secrets than the live one.
    options.redaction.add(secretsOf({ rules: [rule], channels: [] }, options.env));
    run.update({ rule: source, steps: stepRecordsFor(source, plannedRule, steps, replays) });

    const wait = await waitForGroupSlot(rule, run, options);
    if (wait !== undefined) return wait;
    const dryRun = options.readOnly || state.dryRun;
    const hold = dryRun ? undefined : await waitForAdmission(rule, run, options);
    if (hold !== undefined) return hold;

    return executeRun(rule, dryRun, run, access, options);
  };
}
