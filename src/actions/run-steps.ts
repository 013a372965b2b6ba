import type { Alert } from '../alerts/alert.js';
import { conditionValues, eventValue, withAttributesInDevice } from '../enrichment/rule-values.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import type { Event } from '../events/envelope.js';
import type { Claim } from '../journal/claims.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { Rule, Step } from '../rules/rule.js';
import type { Values } from '../rules/values.js';
import { recordCalls } from '../simplemdm/call-log.js';
import type { Sending } from '../simplemdm/call-log.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { StepError } from './action.js';
import type { ActionResult } from './action.js';
import { performStep } from './perform-step.js';
import { StepTimedOut, beginAttempt, isStepFailure, pendingStep } from './step-attempt.js';
import type { StepAttempt, StepFailure } from './step-attempt.js';

/** What the steps of a run are performed with. */
export interface RunStepsOptions {
  readonly event: Event;
  readonly rule: Rule;
  /** A name for the run, the same in every attempt. */
  readonly runKey: string;
  /** What is known of each step from earlier attempts, by position. */
  readonly steps: readonly StepRecord[];
  readonly facts: FactFetcher;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** The claims of a step, by its name: two steps may run the same script. */
  readonly claimFor: (step: string) => Claim;
  /** Keeps what is known of the steps, before a call that changes something and after each step; gives them as kept. */
  readonly keep: (steps: readonly StepRecord[]) => Promise<readonly StepRecord[]>;
  /** Throws when the run is no longer ours to go on with. */
  readonly confirmOwnership: () => Promise<void>;
  /** Why the steps that are left are not to be done any more, if so: asked before each. */
  readonly superseded: () => Promise<string | undefined>;
  /** Told before a step's call is sent that this action is about to be done. */
  readonly beforeAction: (action: string) => Promise<void>;
  /** Whether nothing is to be sent: everything is done up to the last send, which is put down instead. */
  readonly dryRun: boolean;
  /** When a step that failed so is to be tried again; undefined when it is not. */
  readonly tryAgain: (error: StepFailure) => Pause | undefined;
  /** Told of every step that came to something. */
  readonly onStep: (action: string, status: StepRecord['status']) => void;
  readonly tell: (alert: Alert) => Promise<void>;
  readonly raise: (event: Event) => Promise<void>;
  readonly now: () => Date;
}

/** A run that goes on later. */
export interface Pause {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Whether it uses up an attempt of the run, or waits for something that is no fault of its own, or gives way to a stop of the process. */
  readonly costs: 'attempt' | 'nothing' | 'hand_back';
}

/** What a run came to. */
export type RunResult =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A step is to be tried again, or waits. */
  | { readonly kind: 'interrupted'; readonly pause: Pause; readonly reason: string };

/** Ends a step of a dry run where it would have sent something. */
class NotSent extends Error {
  override readonly name = 'NotSent';

  constructor({ method, path, body }: Sending) {
    const fields = Object.entries(body ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
    super(`dry run: would send ${method} ${path}${fields.length === 0 ? '' : ` { ${fields.join(', ')} }`}`);
  }
}

/** A list that says nothing of a bound has this one. */
const MOST_ITEMS = 100;

/** What an attempt at a step, or at a step for one item, came to. */
type Outcome =
  | { readonly kind: 'over' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly pause: Pause; readonly reason: string };

/** What one attempt at a step works with. */
interface Place {
  readonly step: Step;
  /** The name of the step in the run: its position, and that of the item. */
  readonly name: string;
  /** The item of the list, when there is one. */
  readonly more: Values;
  readonly steps: () => readonly StepRecord[];
  readonly keep: (record: AttemptRecord) => Promise<void>;
}

/**
 * Performs the steps of a run in order, those that are over left alone. What each came to is kept before the next begins, so
 * that a retry or a restart resumes behind the last one that is done.
 *
 * @throws What is no failure of a step: a lost job, a Redis that is away, a defect.
 */
export async function runSteps(options: RunStepsOptions): Promise<RunResult> {
  let { steps } = options;
  const keepAt = async (index: number, record: StepRecord): Promise<void> => {
    // What was kept is what goes on, so that a run is the same whether it is resumed or not.
    steps = await options.keep(steps.with(index, record));
  };
  for (const [index, step] of options.rule.steps.entries()) {
    const before = steps[index] ?? pendingStep(step.source);
    if (isOver(before, step)) continue;
    const superseded = await options.superseded();
    if (superseded !== undefined) {
      await keepAt(index, { ...before, status: 'skipped', reason: superseded });
      continue;
    }
    const outcome =
      step.forEach === undefined
        ? await attemptStep(before, options, {
            step,
            name: String(index),
            more: {},
            steps: () => steps,
            keep: (record) => keepAt(index, record),
          })
        : await attemptEach(index, step, before, options, () => steps, keepAt);
    if (outcome.kind === 'over') continue;
    const reason = `step ${index + 1} (${step.source.action}): ${outcome.reason}`;
    if (outcome.kind === 'interrupted') return { kind: 'interrupted', pause: outcome.pause, reason };
    if (step.source.onError === 'stop') return { kind: 'failed', reason };
  }
  return { kind: 'completed' };
}

function isOver({ status }: AttemptRecord, { source }: Step): boolean {
  return (
    status === 'completed' || status === 'skipped' || (status === 'failed' && source.onError === 'continue')
  );
}

/** Performs a step for each item of its list, in order, each kept as a step of its own. */
async function attemptEach(
  index: number,
  step: Step,
  before: StepRecord,
  options: RunStepsOptions,
  steps: () => readonly StepRecord[],
  keepAt: (index: number, record: StepRecord) => Promise<void>,
): Promise<Outcome> {
  const began = before.startedAt ?? options.now().toISOString();
  const finish = async (
    about: Pick<StepRecord, 'status' | 'reason' | 'output'>,
    kept: StepRecord,
  ): Promise<void> => {
    await keepAt(index, { ...kept, ...about, finishedAt: options.now().toISOString() });
    options.onStep(step.source.action, about.status);
  };
  if (before.items === undefined) {
    const list = await itemsOf(step, steps(), options);
    const bound = step.source.atMost ?? MOST_ITEMS;
    const problem =
      typeof list === 'string'
        ? list
        : list.length > bound
          ? `for_each gives ${list.length} items, and at most ${bound} are meant: nothing was done (at_most sets the bound)`
          : undefined;
    if (problem !== undefined || typeof list === 'string') {
      await finish({ status: 'failed', reason: problem }, { ...before, startedAt: began });
      return { kind: 'failed', reason: problem ?? '' };
    }
    const each = list.map(() => pendingStep(step.source));
    await keepAt(index, { ...before, status: 'running', startedAt: began, items: [...list], each });
  }
  const current = (): StepRecord => steps()[index] ?? before;
  for (const [position, item] of (current().items ?? []).entries()) {
    const record = current().each?.[position] ?? pendingStep(step.source);
    if (isOver(record, step)) continue;
    const outcome = await attemptStep(record, options, {
      step,
      name: `${index}.${position}`,
      more: { item },
      steps,
      keep: (changed) =>
        keepAt(index, {
          ...current(),
          status: 'running',
          each: (current().each ?? []).with(position, changed),
        }),
    });
    if (outcome.kind === 'over' || (outcome.kind === 'failed' && step.source.onError === 'continue'))
      continue;
    const reason = `item ${position + 1}: ${outcome.reason}`;
    if (outcome.kind === 'failed') await finish({ status: 'failed', reason }, current());
    return { ...outcome, reason };
  }
  const each = current().each ?? [];
  const failed = each.filter(({ status }) => status === 'failed').length;
  const items = each.map(({ status, reason, output }) => ({ status, reason: reason ?? null, ...output }));
  await finish(
    {
      status: failed > 0 ? 'failed' : 'completed',
      ...(failed > 0 && { reason: `${failed} of ${each.length} failed` }),
      output: { count: each.length, items },
    },
    current(),
  );
  return { kind: 'over' };
}

/** The items, or why there are none to be had. */
async function itemsOf(
  step: Step,
  steps: readonly StepRecord[],
  options: RunStepsOptions,
): Promise<readonly unknown[] | string> {
  try {
    const values = await valuesFor(step, steps, {}, options);
    return step.forEach?.items(conditionValues(values), options.now()) ?? [];
  } catch (error) {
    return errorText(error);
  }
}

/** Performs a step once and keeps what it came to. */
async function attemptStep(before: AttemptRecord, options: RunStepsOptions, place: Place): Promise<Outcome> {
  const { step, keep } = place;
  const { action } = step.source;
  const attempt = beginAttempt(before, options.now());
  const logger = options.logger.child({ step: place.name, action });
  const result = await goOnce(attempt, { ...options, logger }, place);
  if ('error' in result) {
    const { error } = result;
    const pause =
      error instanceof StepTimedOut ? undefined : boundedPause(options.tryAgain(error), attempt, step);
    if (pause !== undefined) {
      await keep(attempt.interrupted(error, pause.at));
      options.onStep(action, 'retrying');
      const nextAttemptAt = new Date(pause.at).toISOString();
      logger.warn({ reason: error.message, nextAttemptAt }, 'a step is tried again later');
      return { kind: 'interrupted', pause, reason: error.message };
    }
    await keep(attempt.failed(error));
    options.onStep(action, 'failed');
    logger.error({ reason: error.message }, 'step failed');
    return { kind: 'failed', reason: error.message };
  }
  await keep(attempt.finished(result));
  options.onStep(action, result.status);
  logger[result.status === 'failed' ? 'error' : 'info'](result, 'step done');
  if (result.status === 'failed') return { kind: 'failed', reason: result.reason };
  if (result.status !== 'waiting') return { kind: 'over' };
  const until = Math.min(result.until, deadlineOf(attempt, step) ?? Infinity);
  return { kind: 'interrupted', pause: { at: until, costs: 'nothing' }, reason: result.reason };
}

/** A step that is out of time when it could be tried again is not. */
function boundedPause(pause: Pause | undefined, attempt: StepAttempt, step: Step): Pause | undefined {
  const deadline = deadlineOf(attempt, step);
  return pause === undefined || (deadline !== undefined && pause.at > deadline) ? undefined : pause;
}

function deadlineOf({ begunAt }: StepAttempt, { source }: Step): number | undefined {
  return source.timeoutMs === undefined ? undefined : Date.parse(begunAt) + source.timeoutMs;
}

async function goOnce(
  attempt: StepAttempt,
  options: RunStepsOptions,
  place: Place,
): Promise<ActionResult | { error: StepFailure }> {
  const { dryRun, confirmOwnership, facts, runKey, rule } = options;
  const { step, name } = place;
  const { unsettledSince } = attempt.before;
  const limit = timeLimit(deadlineOf(attempt, step), options.now());
  const work = async (): Promise<ActionResult> =>
    performStep({
      step,
      values: await valuesFor(step, place.steps(), place.more, options),
      context: {
        ...options,
        fact: facts.fetch,
        claim: options.claimFor(name),
        stepKey: `${runKey}.${name}`,
        begunAt: new Date(attempt.begunAt),
        left: attempt.left,
        rule: rule.source,
        signal: limit.signal,
      },
      env: options.env,
      unsettledSince: unsettledSince === undefined ? undefined : new Date(unsettledSince),
    });
  try {
    const done = recordCalls(attempt.calls, work, async (sending) => {
      if (dryRun) throw new NotSent(sending);
      // What has used up its time sends nothing any more.
      limit.signal.throwIfAborted();
      await confirmOwnership();
      await place.keep(attempt.underWay());
      await options.beforeAction(step.source.action);
    });
    const result = await Promise.race([done, limit.expired]);
    const deadline = deadlineOf(attempt, step) ?? Infinity;
    if (result.status === 'waiting' && options.now().getTime() >= deadline)
      return { error: new StepTimedOut(`${result.reason}; it used up its time (timeout)`) };
    if (dryRun && result.status === 'waiting')
      return { status: 'skipped', reason: `dry run: ${result.reason}` };
    return result;
  } catch (error) {
    if (error instanceof NotSent) return { status: 'skipped', reason: error.message };
    // What a step would have left behind is not there for the texts of later ones.
    if (dryRun && error instanceof StepError)
      return { status: 'skipped', reason: `dry run: ${error.message}` };
    if (isStepFailure(error)) return { error };
    throw error;
  } finally {
    limit.done();
  }
}

interface TimeLimit {
  readonly signal: AbortSignal;
  /** Rejects when the time is up. */
  readonly expired: Promise<never>;
  readonly done: () => void;
}

function timeLimit(deadline: number | undefined, now: Date): TimeLimit {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    if (deadline === undefined) return;
    timer = setTimeout(
      () => {
        const error = new StepTimedOut('it used up its time (timeout)');
        controller.abort(error);
        reject(error);
      },
      Math.max(deadline - now.getTime(), 0),
    );
  });
  // Nobody may be waiting for it any more.
  expired.catch(() => undefined);
  return { signal: controller.signal, expired, done: () => clearTimeout(timer) };
}

async function valuesFor(
  step: Step,
  steps: readonly StepRecord[],
  more: Values,
  { event, facts }: Pick<RunStepsOptions, 'event' | 'facts'>,
): Promise<Record<string, unknown>> {
  const entries = await Promise.all(
    [...step.facts].map(async (name) => [name, await facts.fetch(name)] as const),
  );
  return withAttributesInDevice({
    event: eventValue(event),
    ...Object.fromEntries(entries),
    steps: outputsOf(steps),
    ...more,
  });
}

function outputsOf(steps: readonly StepRecord[]): Record<string, unknown> {
  return Object.fromEntries(
    steps.flatMap(({ id, status, reason, output }) =>
      id === undefined ? [] : [[id, { reason: reason ?? null, ...output, status }]],
    ),
  );
}
