import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { eventValue } from '../enrichment/rule-values.js';
import type { Event } from '../events/envelope.js';
import type { Claim } from '../journal/claims.js';
import type { StepRecord } from '../queues/jobs.js';
import type { Rule, Step } from '../rules/rule.js';
import { recordCalls } from '../simplemdm/call-log.js';
import type { ApiCall, Sending } from '../simplemdm/call-log.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import type { Logger } from '../telemetry/logger.js';
import { StepError } from './action.js';
import type { ActionResult } from './action.js';
import { performStep } from './perform-step.js';

/** What the steps of a run are performed with. */
export interface RunStepsOptions {
  readonly event: Event;
  readonly rule: Rule;
  /** What is known of each step from earlier attempts, by position. */
  readonly steps: readonly StepRecord[];
  readonly facts: FactFetcher;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** The claims of a step, by position: two steps may run the same script. */
  readonly claimFor: (step: number) => Claim;
  /** Keeps what is known of the steps, before a call that changes something and after each step; gives them as kept. */
  readonly keep: (steps: readonly StepRecord[]) => Promise<readonly StepRecord[]>;
  /** Throws when the run is no longer ours to go on with. */
  readonly confirmOwnership: () => Promise<void>;
  /** Told before a step's call is sent that this action is about to be done. */
  readonly beforeAction: (action: string) => Promise<void>;
  /** Whether nothing is to be sent: everything is done up to the last send, which is put down instead. */
  readonly dryRun: boolean;
  /** When a step that failed so is to be tried again, in epoch milliseconds; undefined when it is not. */
  readonly retryAt: (error: SimpleMdmError) => number | undefined;
  /** Told of every step that came to something. */
  readonly onStep: (action: string, status: StepRecord['status']) => void;
}

/** What a run came to. */
export type RunResult =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A step is to be tried again. */
  | {
      readonly kind: 'interrupted';
      readonly at: number;
      readonly error: SimpleMdmError;
      readonly reason: string;
    };

/** Ends a step of a dry run where it would have sent something. */
class NotSent extends Error {
  override readonly name = 'NotSent';

  constructor({ method, path, body }: Sending) {
    const fields = Object.entries(body ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
    super(`dry run: would send ${method} ${path}${fields.length === 0 ? '' : ` { ${fields.join(', ')} }`}`);
  }
}

/** A step's last calls are kept; a step that was retried all day has made hundreds. */
const CALLS_KEPT = 10;

/**
 * Performs the steps of a run in order, those that are over left alone. What each came to is kept before the next begins, so
 * that a retry or a restart resumes behind the last one that is done.
 *
 * @throws What is no failure of a step: a lost job, a Redis that is away, a defect.
 */
export async function runSteps(options: RunStepsOptions): Promise<RunResult> {
  let { steps } = options;
  const keep = async (index: number, record: StepRecord): Promise<void> => {
    // What was kept is what goes on, so that a run is the same whether it is resumed or not.
    steps = await options.keep(steps.with(index, record));
  };
  for (const [index, step] of options.rule.steps.entries()) {
    const before = steps[index] ?? pendingStep(step.source);
    if (isOver(before, step)) continue;
    const attempt = beginAttempt(before);
    const logger = options.logger.child({ step: index + 1, action: step.source.action });
    const context = { ...options, logger, claim: options.claimFor(index) };
    const result = await attemptStep(step, attempt, steps, context, (record) => keep(index, record));
    if (!('error' in result)) {
      await keep(index, attempt.finished(result));
      options.onStep(step.source.action, result.status);
      logger.info(result, 'step done');
      continue;
    }
    const { error } = result;
    const reason = `step ${index + 1} (${step.source.action}): ${error.message}`;
    const at = error instanceof SimpleMdmError ? options.retryAt(error) : undefined;
    if (at !== undefined && error instanceof SimpleMdmError) {
      await keep(index, attempt.interrupted(error, at));
      options.onStep(step.source.action, 'retrying');
      logger.warn(
        { reason: error.message, nextAttemptAt: new Date(at).toISOString() },
        'a step is tried again later',
      );
      return { kind: 'interrupted', at, error, reason };
    }
    await keep(index, attempt.failed(error));
    options.onStep(step.source.action, 'failed');
    logger.error({ reason: error.message }, 'step failed');
    if (step.source.onError === 'stop') return { kind: 'failed', reason };
  }
  return { kind: 'completed' };
}

/** A step before anything has been done. */
export function pendingStep({ action, id }: Pick<StepRecord, 'action' | 'id'>): StepRecord {
  return { action, ...(id !== undefined && { id }), status: 'pending', attempts: 0, calls: [] };
}

function isOver({ status }: StepRecord, { source }: Step): boolean {
  return (
    status === 'completed' || status === 'skipped' || (status === 'failed' && source.onError === 'continue')
  );
}

/** One attempt at a step and the record of it. */
interface Attempt {
  readonly calls: ApiCall[];
  readonly before: StepRecord;
  /** The record while a call is under way whose outcome is not known yet. */
  readonly underWay: () => StepRecord;
  readonly finished: (outcome: ActionResult) => StepRecord;
  readonly failed: (error: SimpleMdmError | StepError) => StepRecord;
  readonly interrupted: (error: SimpleMdmError, at: number) => StepRecord;
}

function beginAttempt(before: StepRecord): Attempt {
  const now = new Date().toISOString();
  const calls: ApiCall[] = [];
  let began = false;
  const { reason: _reason, nextAttemptAt: _next, finishedAt: _finished, unsettledSince, ...kept } = before;
  const base = (): StepRecord => ({
    ...kept,
    status: 'running',
    attempts: before.attempts + 1,
    startedAt: before.startedAt ?? now,
    calls: [...before.calls, ...calls].slice(-CALLS_KEPT),
  });
  const open = unsettledSince ?? now;
  // Whether a call took effect stays open until an answer says so, past the end of a run that failed: a replay must look first.
  const stillOpen = (error: SimpleMdmError | StepError): Pick<StepRecord, 'unsettledSince'> => {
    const isOpen = began && error instanceof SimpleMdmError && error.failure.mayHaveTakenEffect;
    const since = isOpen ? open : unsettledSince;
    return since === undefined ? {} : { unsettledSince: since };
  };
  return {
    calls,
    before,
    underWay: () => {
      began = true;
      return { ...base(), unsettledSince: open };
    },
    finished: (outcome) => ({
      ...base(),
      ...outcome,
      ...('output' in outcome && { output: { ...outcome.output } }),
      finishedAt: new Date().toISOString(),
    }),
    failed: (error) => ({
      ...base(),
      ...stillOpen(error),
      status: 'failed',
      reason: error.message,
      finishedAt: new Date().toISOString(),
    }),
    interrupted: (error, at) => ({
      ...base(),
      ...stillOpen(error),
      status: 'retrying',
      reason: error.message,
      nextAttemptAt: new Date(at).toISOString(),
    }),
  };
}

async function attemptStep(
  step: Step,
  attempt: Attempt,
  steps: readonly StepRecord[],
  options: RunStepsOptions & { claim: Claim },
  keep: (record: StepRecord) => Promise<void>,
): Promise<ActionResult | { error: SimpleMdmError | StepError }> {
  const { event, facts, api, directory, logger, env, claim, confirmOwnership, dryRun } = options;
  const { unsettledSince } = attempt.before;
  try {
    const work = async (): Promise<ActionResult> =>
      performStep({
        step,
        values: { event: eventValue(event), ...(await factValues(step, facts)), steps: outputsOf(steps) },
        context: { event, api, directory, fact: facts.fetch, logger, claim },
        env,
        unsettledSince: unsettledSince === undefined ? undefined : new Date(unsettledSince),
      });
    return await recordCalls(attempt.calls, work, async (sending) => {
      if (dryRun) throw new NotSent(sending);
      await confirmOwnership();
      await keep(attempt.underWay());
      await options.beforeAction(step.source.action);
    });
  } catch (error) {
    if (error instanceof NotSent) return { status: 'skipped', reason: error.message };
    // What a step would have left behind is not there for the texts of later ones.
    if (dryRun && error instanceof StepError)
      return { status: 'skipped', reason: `dry run: ${error.message}` };
    if (error instanceof SimpleMdmError || error instanceof StepError) return { error };
    throw error;
  }
}

async function factValues(step: Step, facts: FactFetcher): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    [...step.facts].map(async (name) => [name, await facts.fetch(name)] as const),
  );
  return Object.fromEntries(entries);
}

function outputsOf(steps: readonly StepRecord[]): Record<string, unknown> {
  return Object.fromEntries(
    steps.flatMap(({ id, status, reason, output }) =>
      id === undefined ? [] : [[id, { status, reason: reason ?? null, ...output }]],
    ),
  );
}
