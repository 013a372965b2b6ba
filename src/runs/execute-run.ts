import type { Queue } from 'bullmq';
import { z } from 'zod';
import type { AlertDispatcher } from '../alerts/alert-dispatcher.js';
import type { NewAlert } from '../alerts/alert.js';
import { openClaims } from '../coordination/claims.js';
import type { ConcurrencyGroups } from '../coordination/concurrency-groups.js';
import type { RaisedDevices } from '../coordination/raised-devices.js';
import { enqueueEvents } from '../coordination/enqueue-events.js';
import type { EventCauses } from '../coordination/event-causes.js';
import { createFactFetcher } from '../enrichment/fetch-facts.js';
import { jsonObject } from '../events/envelope.js';
import type { Journal } from '../journal/journal.js';
import type { FactTrace } from '../journal/trace.js';
import type { Lookups } from '../lookups/lookups.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import { laneOf, stepRecord } from '../queues/jobs.js';
import type { EventJob, RunJob } from '../queues/jobs.js';
import type { Shard } from '../queues/shards.js';
import type { RetentionDays } from '../queues/retention.js';
import type { Rule } from '../rules/model/rule.js';
import type { AccountAccess } from '../simplemdm/account-access.js';
import { withRedaction } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact, Redaction } from '../telemetry/redaction.js';
import { freshFacts } from './fresh-facts.js';
import { expectEventOf } from './loop-protection.js';
import { raisedValueOf } from './run-edge.js';
import type { StepInventory } from './run-context.js';
import { stepRetry } from './step-retry.js';
import type { RunReason, RunSession } from './run-session.js';
import type { RunContext } from './run-context.js';
import { SealedSecretsError, openRunSecrets } from './run-secrets.js';
import type { RunSecrets } from './run-secrets.js';
import { runSteps } from './run-steps.js';
import { approvalOfStep, askFor } from './wait-for-approval.js';
import type { ApprovalContext } from './wait-for-approval.js';
import { supersededReason } from './wait-for-group-slot.js';

/** Built once: zod compiles a schema when it first parses with it. */
const stepRecords = z.array(stepRecord);

/** What the steps of a run reach. */
export interface ExecuteOptions extends ApprovalContext {
  readonly shard: Shard;
  readonly retention: RetentionDays;
  readonly journal: Journal;
  readonly causes: EventCauses;
  readonly groups: ConcurrencyGroups;
  readonly raised: RaisedDevices;
  readonly lookups?: Lookups;
  readonly alerts: AlertDispatcher;
  readonly events: Queue<EventJob>;
  readonly metrics: Metrics;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the process stops. */
  readonly stop: AbortSignal;
  /** The pauses between looks at an inventory that is not there yet, in milliseconds. */
  readonly lookPausesMs: readonly number[];
}

function stepInventory(
  { settling }: RunJob,
  { lookPausesMs: pausesMs, metrics }: ExecuteOptions,
): StepInventory | undefined {
  if (settling === undefined) return undefined;
  return {
    settling: { since: Date.parse(settling.since), until: Date.parse(settling.until) },
    pausesMs,
    onWait: () => metrics.inventoryWaits.inc({ kind: 'step' }),
  };
}

/**
 * Performs the steps of a run and records each with the job and in the journal.
 *
 * @param known - The facts that have been looked up for the event.
 */
export async function executeRun(
  rule: Rule,
  dryRun: boolean,
  run: RunSession,
  access: AccountAccess,
  known: ReadonlyMap<string, FactTrace>,
  options: ExecuteOptions,
): Promise<JobOutcome> {
  const { shard, journal, redaction, causes, groups, alerts } = options;
  const { job } = run;
  let secrets: RunSecrets;
  try {
    secrets = openRunSecrets(access.sealingKey, job.id, run.data().steps);
  } catch (error) {
    if (!(error instanceof SealedSecretsError)) throw error;
    return run.fail({ reason: error.message, code: 'run/sealed-secrets' });
  }
  const redact = (text: string): string => secrets.redact(redaction.redact(text));
  const logger = withRedaction(run.logger, secrets.redact);
  const { event, group } = run.data();
  const lane = laneOf(run.data());
  const facts = createFactFetcher({
    event,
    ...access,
    ...(options.lookups && { lookups: options.lookups }),
    known: freshFacts(known, run.data().steps, run.data().approvals),
    onFact: (name, fact) => journal.recordFact(event.id, name, fact),
  });
  const canBeSuperseded = rule.source.concurrency?.mode === 'restart';
  let superseded: RunReason | undefined;
  let rejected: RunReason | undefined;
  const outcome = await runStepsSafely(redact, {
    ...options,
    ...access,
    event,
    rule,
    facts,
    logger,
    dryRun,
    steps: run.data().steps,
    raised: await raisedValueOf(run.data(), options.raised, secrets),
    runKey: job.id,
    inventory: stepInventory(run.data(), options),
    now: () => new Date(),
    secrets,
    dispatchAlert: (alert) => alerts.dispatch(withoutSecretsInAlert(alert, secrets.redact)),
    emitEvent: async (emitted) => {
      const data = jsonObject.parse(redactJson(secrets.redact, emitted.data));
      await enqueueEvents([{ ...emitted, data }], { shard, events: options.events, journal }, lane);
    },
    superseded: async () => {
      const hasSlot = !canBeSuperseded || group === undefined || (await groups.holdsSlot(group, job.id));
      superseded = hasSlot ? undefined : supersededReason(rule);
      return superseded?.reason;
    },
    stepApprovals: {
      isNeeded: (step, index) => approvalOfStep(step, index, run) !== undefined,
      ask: async (step, index) => {
        const approve = approvalOfStep(step, index, run);
        if (approve === undefined) return { kind: 'approved' };
        const result = await askFor(approve, String(index), [step], run, options);
        if (result.kind === 'rejected') rejected = result.why;
        // Hours may have passed.
        if (result.kind === 'approved' && result.isNew === true) facts.clear();
        return result;
      },
    },
    expectEvent: (action) => expectEventOf(action, { event, rule: rule.source.id, lane, facts, causes }),
    saveSteps: async (steps, { expected, endsRun } = {}) => {
      // The output of an action may contain a secret from the environment or from an answer; Redis must not.
      run.update({ steps: stepRecords.parse(redactJson(redact, steps)) });
      // The end of the run saves them.
      if (endsRun !== true) await run.saveRunning(expected?.part);
      return run.data().steps;
    },
    claimFor: (step) =>
      openClaims(shard, { account: event.account, step: `${job.id}.${step}` }, options.retention),
    retryAfter: (error) => stepRetry(error, job, options.stop),
    countStep: (action, status) => options.metrics.steps.inc({ action, status }),
  });
  await facts.reportUsedRows();
  switch (outcome.kind) {
    case 'completed':
      return run.complete(superseded ?? rejected);
    case 'failed':
      return run.fail(outcome, { alert: !dryRun });
    case 'retry':
      await run.record('waiting', {
        reason: outcome.reason,
        ...(outcome.code !== undefined && { code: outcome.code }),
      });
      return outcome;
    case 'requeue':
      await run.record('waiting', { reason: outcome.reason });
      return outcome;
  }
}

/** Runs the steps. Masks the secrets of the run in whatever comes out of it, an unexpected error included. */
async function runStepsSafely(redact: Redact, context: RunContext): Promise<JobOutcome> {
  try {
    const outcome = await runSteps(context);
    return 'reason' in outcome ? { ...outcome, reason: redact(outcome.reason) } : outcome;
  } catch (error) {
    if (error instanceof Error) {
      error.message = redact(error.message);
      if (error.stack !== undefined) error.stack = redact(error.stack);
    }
    throw error;
  }
}

/** People read an alert in a chat, and until then it is in Redis. */
function withoutSecretsInAlert(alert: NewAlert, redact: Redact): NewAlert {
  const { title, text, labels, key, notes } = alert;
  return {
    ...alert,
    title: redact(title),
    text: redact(text),
    ...(key !== undefined && { key: redact(key) }),
    ...(notes && { notes: notes.map(redact) }),
    labels: Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, redact(value)])),
  };
}
