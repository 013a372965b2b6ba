import { eventValue, withAttributesInDevice } from '../enrichment/rule-values.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { recordCalls } from '../simplemdm/call-recorder.js';
import type { PendingCall } from '../simplemdm/call-recorder.js';
import { StepError } from '../actions/action.js';
import type { ActionResult } from '../actions/action.js';
import { performStep } from './perform-step.js';
import { ACTIONS } from '../actions/registry.js';
import type { RunDelay, RunStepsOptions } from './run-context.js';
import { StepTimeoutError, startAttempt, isStepFailure, mayHaveTakenEffect } from './attempt-record.js';
import type { StepAttempt, StepFailure } from './attempt-record.js';
import { startTimeout } from './step-timeout.js';

/** What one attempt at a step works with. */
export interface StepInvocation {
  readonly step: Step;
  /** The name of the step in the run: its position, and that of the item. */
  readonly name: string;
  /** The item of the list, when there is one. */
  readonly extraValues: Values;
  /** From when its `timeout` counts; from the first attempt when left out. */
  readonly timeoutStart?: string;
  readonly steps: () => readonly StepRecord[];
  readonly keep: (record: AttemptRecord) => Promise<void>;
}

/** What an attempt at a step, or at a step for one item, came to. */
export type StepOutcome =
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly pause: RunDelay; readonly reason: string };

/** Ends a step of a dry run where it would have sent something. */
class DryRunStop extends Error {
  override readonly name = 'NotSent';

  constructor({ method, path, body }: PendingCall) {
    const fields = Object.entries(body ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
    super(`${WOULD_SEND} ${method} ${path}${fields.length === 0 ? '' : ` { ${fields.join(', ')} }`}`);
  }
}

const WOULD_SEND = 'dry run: would send';

/** Performs a step once and keeps what it came to. */
export async function attemptStep(
  before: AttemptRecord,
  options: RunStepsOptions,
  place: StepInvocation,
): Promise<StepOutcome> {
  const { step, keep } = place;
  const { action } = step.source;
  const attempt = startAttempt(before, options.now());
  const logger = options.logger.child({ step: place.name, action });
  const result = await executeAttempt(attempt, { ...options, logger }, place);
  if ('error' in result) return recordFailure(result.error, attempt, options, place);
  const until =
    result.status === 'waiting' ? Math.min(result.until, deadlineOf(attempt, place) ?? Infinity) : 0;
  await keep(attempt.finished(result.status === 'waiting' ? { ...result, until } : result));
  options.onStep(action, result.status);
  logger[result.status === 'failed' ? 'error' : 'info'](result, 'step done');
  if (result.status === 'failed') return { kind: 'failed', reason: result.reason };
  if (result.status !== 'waiting') return { kind: 'over' };
  return { kind: 'interrupted', pause: { at: until, costs: 'nothing' }, reason: result.reason };
}

/** Keeps that a step failed, and whether it is tried again. */
export async function recordFailure(
  error: StepFailure,
  attempt: StepAttempt,
  options: RunStepsOptions,
  place: Pick<StepInvocation, 'step' | 'name' | 'timeoutStart' | 'keep'>,
): Promise<StepOutcome> {
  const { action } = place.step.source;
  const logger = options.logger.child({ step: place.name, action });
  const pause = error instanceof StepTimeoutError ? undefined : options.retryAfter(error);
  const deadline = deadlineOf(attempt, place);
  // A step that is out of time when it could be tried again is not.
  if (pause !== undefined && (deadline === undefined || pause.at <= deadline)) {
    await place.keep(attempt.interrupted(error, pause.at));
    options.onStep(action, 'retrying');
    const nextAttemptAt = new Date(pause.at).toISOString();
    logger.warn({ reason: error.message, nextAttemptAt }, 'a step is tried again later');
    return { kind: 'interrupted', pause, reason: error.message };
  }
  await place.keep(attempt.failed(error));
  options.onStep(action, 'failed');
  logger.error({ reason: error.message }, 'step failed');
  return { kind: 'failed', reason: error.message };
}

function deadlineOf(
  { startedAt }: StepAttempt,
  { step, timeoutStart: since }: Pick<StepInvocation, 'step' | 'timeoutStart'>,
): number | undefined {
  const { timeoutMs } = step.source;
  return timeoutMs === undefined ? undefined : Date.parse(since ?? startedAt) + timeoutMs;
}

async function executeAttempt(
  attempt: StepAttempt,
  options: RunStepsOptions,
  place: StepInvocation,
): Promise<ActionResult | { error: StepFailure }> {
  const { dryRun, confirmOwnership, facts, runKey, rule } = options;
  const { step, name } = place;
  const { unsettledSince } = attempt.before;
  const deadline = deadlineOf(attempt, place);
  const limit = startTimeout(deadline, options.now(), options.stop);
  let takeBack: (() => Promise<void>) | undefined;
  const prepare = async (): Promise<void> => {
    await confirmOwnership();
    limit.throwIfExpired();
    await place.keep(attempt.inFlight());
    takeBack = await options.beforeAction(step.source.action);
    // Last of all: what has used up its time sends nothing any more.
    limit.throwIfExpired();
  };
  let preparing: Promise<void> | undefined;
  const work = async (): Promise<ActionResult> =>
    performStep({
      step,
      values: await stepValues(step, place.steps(), place.extraValues, options),
      context: {
        ...options,
        fact: facts.fetch,
        claim: options.claimFor(name),
        stepKey: [
          runKey,
          name,
          ...(attempt.before.afresh === undefined ? [] : [`r${attempt.before.afresh}`]),
        ].join('.'),
        startedAt: new Date(attempt.startedAt),
        previousOutput: attempt.previousOutput,
        rule: rule.source,
        signal: limit.signal,
      },
      env: options.env,
      unsettledSince: unsettledSince === undefined ? undefined : new Date(unsettledSince),
    });
  try {
    const done = recordCalls(attempt.calls, work, async (sending) => {
      if (dryRun) throw new DryRunStop(sending);
      preparing = prepare();
      await preparing;
    });
    const result = await Promise.race([done, limit.expired]);
    if (result.status === 'waiting' && options.now().getTime() >= (deadline ?? Infinity))
      return { error: new StepTimeoutError(`${result.reason}; it used up its time (timeout)`) };
    if (dryRun && result.status === 'waiting')
      return { status: 'skipped', reason: `dry run: ${result.reason}` };
    return result;
  } catch (error) {
    if (error instanceof DryRunStop) return { status: 'skipped', reason: error.message };
    // What a step would have left behind is not there for the texts of later ones.
    if (dryRun && error instanceof StepError)
      return { status: 'skipped', reason: `dry run: ${error.message}` };
    if (!isStepFailure(error)) throw error;
    // What is still being written down must not be written over what comes now.
    await waitForPreparation(preparing);
    if (!mayHaveTakenEffect(error)) await takeBack?.();
    return { error: error instanceof StepTimeoutError ? withLastFailure(error, attempt) : error };
  } finally {
    limit.clear();
  }
}

async function waitForPreparation(preparing: Promise<void> | undefined): Promise<void> {
  try {
    await preparing;
  } catch (error) {
    // The step itself tells it; only something else than the end of its time is news.
    if (!isStepFailure(error)) throw error;
  }
}

/** What kept the step from succeeding before its time was up says more than that it was. */
function withLastFailure(error: StepTimeoutError, { before }: StepAttempt): StepTimeoutError {
  return before.status === 'retrying' && before.reason !== undefined
    ? new StepTimeoutError(`${error.message}; the last try said: ${before.reason}`)
    : error;
}

/** What a step's condition and texts can name. */
export async function stepValues(
  step: Step,
  steps: readonly StepRecord[],
  more: Values,
  { event, facts, dryRun }: Pick<RunStepsOptions, 'event' | 'facts' | 'dryRun'>,
): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    [...step.facts].map(async (name) => [name, await facts.fetch(name)] as const),
  );
  return withAttributesInDevice({
    event: eventValue(event),
    ...Object.fromEntries(entries),
    steps: stepOutputs(steps, dryRun),
    ...more,
  });
}

function stepOutputs(steps: readonly StepRecord[], dryRun: boolean): Record<string, unknown> {
  return Object.fromEntries(
    steps.flatMap((record) => {
      const { id, status, reason, output } = record;
      if (id === undefined) return [];
      const about = { reason: reason ?? null, ...output, status };
      return [[id, dryRun && reason?.startsWith('dry run') === true ? placeholderOutputs(record) : about]];
    }),
  );
}

/** What a step that a dry run did not do would leave behind, were it done: later steps are shown as they would be. */
function placeholderOutputs({ id = '', action }: StepRecord): Record<string, unknown> {
  const outputs = Object.keys((Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.outputs : undefined) ?? {});
  return {
    ...Object.fromEntries(outputs.map((name) => [name, `{{ steps.${id}.${name} }}`])),
    reason: null,
    status: 'completed',
  };
}
