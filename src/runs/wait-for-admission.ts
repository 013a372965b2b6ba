import type { AlertDispatcher } from '../alerts/alert-dispatcher.js';
import type { AdmissionRequest, Refusal, RunLimits } from '../coordination/run-limits.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import type { Rule } from '../rules/model/rule.js';
import type { Metrics } from '../telemetry/metrics.js';
import { runLimitsOf } from './rule-limits.js';
import { admissionId } from './run-session.js';
import type { RunSession } from './run-session.js';

/** Where run limits are counted and reported. */
export interface AdmissionContext {
  readonly limits: RunLimits;
  readonly alerts: AlertDispatcher;
  readonly metrics: Metrics;
}

/** How often the runs of a held rule check whether a person has released or dropped them. */
const RECHECK_MS = 5000;
/** Many runs check less often, about a hundred per second in all: they must not take the time of the runs of other rules. */
const RECHECK_PER_RUN_MS = 10;
const MAX_RECHECK_MS = 60_000;

/** Asks the run limits of the rule for a run; undefined when the run was admitted before. */
export function admissionRequestOf(rule: Rule, run: RunSession): AdmissionRequest | undefined {
  const { event, plannedAt, admitted, replayedAt } = run.data();
  if (admitted === true) return undefined;
  return {
    account: event.account,
    rule: rule.source.id,
    run: admissionId(run.job.id, run.data()),
    // A person who replays a dropped run wants it to run.
    plannedAt: Date.parse(replayedAt ?? plannedAt),
    limits: runLimitsOf(rule),
  };
}

/**
 * Checks the run limits of the rule before the first step of a run. Over a limit, the rule is held.
 *
 * @returns The outcome of a run that is held or was dropped; undefined when the run may start.
 */
export async function waitForAdmission(
  rule: Rule,
  run: RunSession,
  context: AdmissionContext,
): Promise<JobOutcome | undefined> {
  const request = admissionRequestOf(rule, run);
  if (request === undefined) return undefined;
  const admission = await context.limits.admit(request);
  if (admission.kind !== 'admitted') return outcomeOfRefusal(admission, run, context);
  run.update({ admitted: true });
  await run.save();
  return undefined;
}

/** The outcome of a run that is held or was dropped. */
export async function outcomeOfRefusal(
  admission: Refusal,
  run: RunSession,
  context: AdmissionContext,
): Promise<JobOutcome> {
  if (admission.kind === 'held') return hold(admission, run, context);
  return run.fail(
    { reason: 'the run was dropped while its rule was held', code: 'run/dropped' },
    { alert: false },
  );
}

async function hold(
  { held, isNew, waiting }: Extract<Refusal, { kind: 'held' }>,
  run: RunSession,
  { alerts, metrics }: AdmissionContext,
): Promise<JobOutcome> {
  const { account, rule, since } = held;
  const { event } = run.data();
  const code = 'run/held';
  const command = (verb: string): string => `"mdm-reflex held ${verb} ${rule} --account ${account}"`;
  const reason = `the rule is held: ${held.reason}; ${command('release')} starts its runs, ${command('drop')} drops them`;
  if (isNew) {
    metrics.rulesHeld.inc({ rule });
    run.logger.error({ code, reason: held.reason }, 'the rule is held: its runs wait for a person');
  }
  // Each waiting run dispatches the alert, because the worker of the first one may have died before. The id makes it one alert.
  if (run.data().waitReason !== reason) {
    await alerts.dispatchServiceAlert({
      account,
      rule,
      id: `held:${account}:${rule}`,
      since,
      kind: 'held',
      event: { id: event.id, type: event.type },
      title: `The rule ${rule} is held`,
      text: reason,
      severity: 'critical',
    });
  }
  const recheckMs = Math.min(Math.max(RECHECK_MS, waiting * RECHECK_PER_RUN_MS), MAX_RECHECK_MS);
  return run.wait(Date.now() + recheckMs, { reason, code });
}
