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
import { startRun } from '../src/runs/start-run.js';
import type { StartContext } from '../src/runs/start-run.js';
import { stepRecordsFor } from '../src/runs/step-records.js';
import { unknownAccount } from '../src/runs/unknown-account.js';
import { takeEdgeBack } from '../src/runs/run-edge.js';
import { clearsOf, ruleOfRun, sourceOfRun } from '../src/runs/steps-of-run.js';
import { waitForRule } from '../src/runs/wait-for-rule.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import type { Logger } from '../src/telemetry/logger.js';

/** The parts of the run worker. */
export interface RunWorkerOptions extends CompileOptions, StartContext, ExecuteOptions {
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly runs: Queue<RunJob>;
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
    if (!options.rules().includes(compiled))
      options.redaction.add(secretsOf({ rules: [compiled], channels: [] }, options.env));
    const [now, before] = [sourceOfRun(source, clears), sourceOfRun(plannedRule, clears)];
    run.update({ rule: source, steps: stepRecordsFor(now, before, steps, replays) });

    // The edge of a dry run stays one when the rule is live by now: the next sweep finds the live edge.
    const dryRun = options.readOnly || state.dryRun || edge?.mode === 'dry_run';
    const start = await startRun(rule, dryRun, run, options);
    if (start.kind === 'not_started') return start.outcome;
    if (dryRun && edge?.mode === 'live') await takeEdgeBack(run.data(), options.raised);
    return executeRun(rule, dryRun, run, access, start.facts, options);
  };
}
