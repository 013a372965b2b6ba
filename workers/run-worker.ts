import type { Queue } from 'bullmq';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { RunJob } from '../src/queues/jobs.js';
import { secretsOf } from '../src/rules/model/rule-secrets.js';
import type { CompileOptions } from '../src/runs/compile-planned-rule.js';
import { claimOnce, skipIfDone } from '../src/runs/once-per.js';
import type { RunSession } from '../src/runs/run-session.js';
import type { OnceClaims } from '../src/coordination/once-claims.js';
import type { Rule } from '../src/rules/model/rule.js';
import { compilePlannedRule } from '../src/runs/compile-planned-rule.js';
import { effectiveRule, liveRuleStateOf } from '../src/runs/effective-rule.js';
import type { ExecuteOptions } from '../src/runs/execute-run.js';
import { executeRun } from '../src/runs/execute-run.js';
import { openRunSession } from '../src/runs/run-session.js';
import { stepRecordsFor } from '../src/runs/step-records.js';
import type { AdmissionContext } from '../src/runs/wait-for-admission.js';
import { unknownAccount } from '../src/runs/unknown-account.js';
import { waitForRunApproval } from '../src/runs/wait-for-approval.js';
import type { ApprovalContext } from '../src/runs/wait-for-approval.js';
import { waitForAdmission } from '../src/runs/wait-for-admission.js';
import { takeEdgeBack } from '../src/runs/run-edge.js';
import { clearsOf, ruleOfRun, sourceOfRun } from '../src/runs/steps-of-run.js';
import { waitForRule } from '../src/runs/wait-for-rule.js';
import { waitForGroupSlot } from '../src/runs/wait-for-group-slot.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { Logger } from '../src/telemetry/logger.js';

/** The parts of the run worker. */
export interface RunWorkerOptions extends CompileOptions, AdmissionContext, ApprovalContext, ExecuteOptions {
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly runs: Queue<RunJob>;
  readonly once: OnceClaims;
  readonly logger: Logger;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
}

/** Handles the queue "runs": checks that the run may start, then performs its steps. */
export function createRunHandler(options: RunWorkerOptions): (job: JobHandle<RunJob>) => Promise<JobOutcome> {
  return async (job) => {
    const { event, rule: plannedRule, steps, replays, edge } = job.data;
    const clears = clearsOf(job.data);
    const run = openRunSession(job, options);
    const access = options.accounts.get(event.account);
    if (access === undefined) return run.fail(unknownAccount(event.account));

    const source = effectiveRule(job.data, run.currentRule);
    const state = liveRuleStateOf(source, run.currentRule, event.account);
    if (state.kind === 'missing') return waitForRule(run, source.id);
    if (run.data().ruleMissingSince !== undefined) run.clearWait();
    if (state.kind === 'stopped') {
      await takeEdgeBack(run.data(), options.raised);
      return run.skip({ reason: state.reason, code: 'run/rule-changed' });
    }
    const compiled = compilePlannedRule(source, options);
    if (typeof compiled === 'string')
      return run.fail({ reason: `the rule is not valid: ${compiled}`, code: 'run/rule-invalid' });
    const rule = ruleOfRun(compiled, clears);
    // An older version of a rule may use other secrets than the live one.
    options.redaction.add(secretsOf({ rules: [compiled], channels: [] }, options.env));
    const [now, before] = [sourceOfRun(source, clears), sourceOfRun(plannedRule, clears)];
    run.update({ rule: source, steps: stepRecordsFor(now, before, steps, replays) });

    const wait = await waitForGroupSlot(rule, run, options);
    if (wait !== undefined) return wait;
    // The edge of a dry run stays one when the rule is live by now: the next sweep finds the live edge.
    const dryRun = options.readOnly || state.dryRun || edge?.mode === 'dry_run';
    if (dryRun && edge?.mode === 'live') await takeEdgeBack(run.data(), options.raised);
    if (!dryRun) {
      const stop = await waitForStart(rule, run, options);
      if (stop !== undefined) return stop;
    }

    return executeRun(rule, dryRun, run, access, options);
  };
}

/** What a live run waits for before its first step. A run that does not start in the end claims nothing. */
async function waitForStart(
  rule: Rule,
  run: RunSession,
  options: RunWorkerOptions,
): Promise<JobOutcome | undefined> {
  return (
    (await skipIfDone(run, options.once)) ??
    (await waitForAdmission(rule, run, options)) ??
    (await waitForRunApproval(rule.source, run, options)) ??
    (await claimOnce(run, options.once))
  );
}
