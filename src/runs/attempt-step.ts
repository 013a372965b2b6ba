import { dependsOnDevice, withoutPendingLists } from '../enrichment/inventory.js';
import { DEVICE_FACTS } from '../enrichment/registry.js';
import { conditionValues, eventValue, withNestedFacts } from '../enrichment/rule-values.js';
import type { JobFailure, JobRetry } from '../queues/job-outcome.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import type { ConditionResult } from '../rules/cel/condition.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { recordCalls } from '../simplemdm/call-recorder.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError } from '../actions/action.js';
import type { ActionResult, RenderProblem } from '../actions/action.js';
import { needsNoValues, performStep } from './perform-step.js';
import { DryRunStop, dryRunReason, stepOutputs } from './dry-run.js';
import type { ExpectedEvent } from './loop-protection.js';
import type { RunContext } from './run-context.js';
import { StepTimeoutError, startAttempt, isStepFailure, mayHaveTakenEffect } from './attempt-record.js';
import type { StepAttempt, StepFailure } from './attempt-record.js';
import { inventoryRetry } from './defer-decisions.js';
import { listsMayBeLateIn, refreshForLook, stepInventoryWait } from './step-inventory.js';
import type { StepInventoryWait } from './step-inventory.js';
import { startTimeout } from './step-timeout.js';
import { certainValues } from './uncertain-device.js';

/** A step of a run, or one item of its list. */
export interface StepInvocation {
  readonly step: Step;
  /** Identifies the step in the run: its position, and that of the item. */
  readonly name: string;
  /** The item of the list, with `for_each`. */
  readonly extraValues: Values;
  /** Whether the step needs an approval that nobody was asked for. */
  readonly lacksApproval?: boolean;
  /** When `timeout` starts; by default with the first attempt. */
  readonly timeoutStart?: string;
  readonly steps: () => readonly StepRecord[];
  /** @param expected - The webhook that the call which follows will cause. */
  readonly save: (record: AttemptRecord, expected?: ExpectedEvent) => Promise<void>;
}

/** The result of an attempt at a step or an item. `retry` and `requeue` suspend the run. */
export type StepOutcome = { readonly kind: 'finished' } | JobFailure | JobRetry;

/** Makes one attempt at a step and saves its record. */
export async function attemptStep(
  before: AttemptRecord,
  options: RunContext,
  invocation: StepInvocation,
): Promise<StepOutcome> {
  const { step, save } = invocation;
  const { action } = step.source;
  refreshForLook(before, options);
  const attempt = startAttempt(before, options.now());
  const logger = options.logger.child({ step: invocation.name, action });
  const performed = await executeAttempt(attempt, { ...options, logger }, invocation);
  if ('error' in performed) return recordFailure(performed.error, attempt, options, invocation);
  if ('wait' in performed) return awaitInventory(performed, attempt, options, invocation);
  const { result, sealed } = withoutSecrets(performed, action, options);
  const until =
    result.status === 'waiting' ? Math.min(result.until, deadlineOf(attempt, invocation) ?? Infinity) : 0;
  await save(attempt.finished(result.status === 'waiting' ? { ...result, until } : result, sealed));
  options.countStep(action, result.status);
  switch (result.status) {
    case 'failed': {
      const { code, ...rest } = result;
      logger.error({ code, ...rest }, 'step failed');
      return { kind: 'failed', reason: result.reason, code };
    }
    case 'waiting':
      logger.info(result, 'step waits');
      return { kind: 'retry', at: until, countsAttempt: false, reason: result.reason };
    case 'completed':
    case 'skipped':
      logger.info(result, `step ${result.status}`);
      return { kind: 'finished' };
  }
}

/** Lets a step wait for inventory, at most until its `timeout`. */
export async function awaitInventory(
  { reason, wait }: StepInventoryWait,
  attempt: StepAttempt,
  options: RunContext,
  { step, name, timeoutStart, save }: Pick<StepInvocation, 'step' | 'name' | 'timeoutStart' | 'save'>,
): Promise<StepOutcome> {
  const { action } = step.source;
  const at = Math.min(Date.parse(wait.nextLookAt), deadlineOf(attempt, { step, timeoutStart }) ?? Infinity);
  await save(attempt.awaitingInventory(reason, wait, at));
  options.countStep(action, 'waiting');
  options.logger.child({ step: name, action }).info({ reason }, 'step waits');
  return inventoryRetry(reason, at);
}

/** Takes the secrets out of the output of an action, before anything is saved or logged. */
function withoutSecrets(
  result: ActionResult,
  action: string,
  { secrets }: Pick<RunContext, 'secrets'>,
): { result: ActionResult; sealed?: string } {
  // The output of a step that waits is what the action continues with.
  if (result.status !== 'completed') return { result };
  const { secretNames, ...completed } = result;
  // Only actions that name secrets talk to other services than SimpleMDM, whose secrets its client removes.
  if (secretNames === undefined) return { result };
  const { output, ...sealed } = secrets.hide(action, completed.output, secretNames);
  return { result: { ...completed, output }, ...sealed };
}

/** Saves the record of a failed attempt, and decides whether the step is retried. */
export async function recordFailure(
  error: StepFailure,
  attempt: StepAttempt,
  options: RunContext,
  { step, name, timeoutStart, save }: Pick<StepInvocation, 'step' | 'name' | 'timeoutStart' | 'save'>,
): Promise<StepOutcome> {
  const { action } = step.source;
  const { message: reason, code } = error;
  const logger = options.logger.child({ step: name, action });
  const retry = error instanceof StepTimeoutError ? undefined : options.retryAfter(error);
  const retryAt = retry?.kind === 'retry' ? retry.at : Date.now();
  const deadline = deadlineOf(attempt, { step, timeoutStart });
  // A retry after the deadline would only time out.
  if (retry !== undefined && (deadline === undefined || retryAt <= deadline)) {
    await save(attempt.retrying(error, retryAt));
    options.countStep(action, 'retrying');
    logger.warn({ code, reason, nextAttemptAt: new Date(retryAt).toISOString() }, 'step retries later');
    return retry;
  }
  await save(attempt.failed(error));
  options.countStep(action, 'failed');
  logger.error({ code, reason }, 'step failed');
  return { kind: 'failed', reason, code };
}

function deadlineOf(
  { startedAt }: StepAttempt,
  { step, timeoutStart }: { readonly step: Step; readonly timeoutStart?: string | undefined },
): number | undefined {
  const { timeoutMs } = step.source;
  return timeoutMs === undefined ? undefined : Date.parse(timeoutStart ?? startedAt) + timeoutMs;
}

async function executeAttempt(
  attempt: StepAttempt,
  options: RunContext,
  invocation: StepInvocation,
): Promise<ActionResult | StepInventoryWait | { error: StepFailure }> {
  const { dryRun, facts, runKey, rule } = options;
  const { step, name } = invocation;
  const { inDoubtSince, restartedByReplay } = attempt.before;
  const deadline = deadlineOf(attempt, invocation);
  const timeout = startTimeout(deadline, options.now(), options.stop);
  const renderProblems: RenderProblem[] = [];
  const goesWithout = (fact: string, error: SimpleMdmError): boolean => {
    if (!canGoWithout(fact, step) || !hasWaitedEnough(error, attempt, deadline, options)) return false;
    renderProblems.push({ argument: fact, reason: error.message });
    return true;
  };
  let expected: ExpectedEvent | undefined;
  const prepare = async (): Promise<void> => {
    const event = await options.expectEvent(step.source.action);
    timeout.throwIfExpired();
    await invocation.save(attempt.inFlight(), event);
    expected = event;
    // The last check before the call: a step that timed out sends nothing.
    timeout.throwIfExpired();
  };
  let preparation: Promise<void> | undefined;
  const work = async (): Promise<ActionResult | StepInventoryWait> => {
    const values = await stepValues(step, invocation.steps(), invocation.extraValues, options, {
      goesWithout,
    });
    const wait = stepInventoryWait({ step, values, before: attempt.before, part: 'step' }, options);
    if (wait !== undefined) return wait;
    return performStep({
      step,
      values,
      listsMayBeLate: listsMayBeLateIn(options, values),
      context: {
        ...options,
        fact: facts.fetch,
        look: (argument) => lookAtCondition(argument, invocation, options),
        claim: options.claimFor(name),
        stepKey: `${runKey}.${name}${restartedByReplay === undefined ? '' : `.r${restartedByReplay}`}`,
        startedAt: attempt.begin(options.now()),
        previousOutput: attempt.previousOutput,
        rule: rule.source,
        renderProblems,
        signal: timeout.signal,
      },
      env: options.env,
      lacksApproval: invocation.lacksApproval,
      inDoubtSince: inDoubtSince === undefined ? undefined : new Date(inDoubtSince),
    });
  };
  try {
    const performed = recordCalls(attempt.calls, work, async (call) => {
      if (dryRun) throw new DryRunStop(call);
      preparation = prepare();
      await preparation;
    });
    const result = await Promise.race([performed, timeout.expired]);
    const waitReason = 'wait' in result || result.status === 'waiting' ? result.reason : undefined;
    if (waitReason !== undefined && options.now().getTime() >= (deadline ?? Infinity))
      return { error: new StepTimeoutError(`${waitReason}; the step timed out (timeout)`) };
    if (dryRun && !('wait' in result) && result.status === 'waiting')
      return { status: 'skipped', reason: dryRunReason(result.reason) };
    return result;
  } catch (error) {
    if (error instanceof DryRunStop) return { status: 'skipped', reason: error.message };
    // A skipped step has no output, so a template of a later step may fail.
    if (dryRun && error instanceof StepError)
      return { status: 'skipped', reason: dryRunReason(error.message), code: error.code };
    if (!isStepFailure(error)) throw error;
    // A save that is in progress must not overwrite the record of this failure.
    await waitForPreparation(preparation);
    if (!mayHaveTakenEffect(error)) await expected?.cancel();
    return { error: error instanceof StepTimeoutError ? withLastFailure(error, attempt) : error };
  } finally {
    timeout.clear();
  }
}

async function waitForPreparation(preparation: Promise<void> | undefined): Promise<void> {
  try {
    await preparation;
  } catch (error) {
    // The step reports its timeout itself.
    if (!isStepFailure(error)) throw error;
  }
}

/** Adds the reason of the last retry: a timeout alone does not explain the failure. */
function withLastFailure(error: StepTimeoutError, { before }: StepAttempt): StepTimeoutError {
  return before.status === 'retrying' && before.reason !== undefined
    ? new StepTimeoutError(`${error.message}; last failure: ${before.reason}`)
    : error;
}

/** How long a step that needs no values waits for a fact that is unavailable, at most. */
const FACT_PATIENCE_MS = 2 * 60_000;

/** A condition is never decided without its facts. */
const canGoWithout = (fact: string, step: Step): boolean =>
  needsNoValues(step) && step.condition?.names.has(fact) !== true;

/** Whether a fact has been unavailable for so long, or fails for good, that the step goes without it. */
function hasWaitedEnough(
  error: SimpleMdmError,
  { startedAt, before }: StepAttempt,
  deadline: number | undefined,
  { retryAfter }: Pick<RunContext, 'retryAfter'>,
): boolean {
  const retry = retryAfter(error);
  if (retry?.kind === 'requeue') return false;
  if (retry === undefined || (deadline !== undefined && retry.at > deadline)) return true;
  // The time of a wait for inventory does not count: the first failure at a look is retried.
  if (before.status === 'waiting') return false;
  return retry.at > Date.parse(startedAt) + FACT_PATIENCE_MS;
}

/** Evaluates a condition among the arguments of a step on fresh facts. */
async function lookAtCondition(
  argument: string,
  { step, steps, extraValues }: StepInvocation,
  options: RunContext,
): Promise<ConditionResult> {
  const condition = step.argumentConditions.get(argument);
  if (condition === undefined)
    throw new StepError('step/invalid-argument', `${argument}: expected a condition`);
  // Facts are made of other facts: the group and the log of a device depend on its record.
  options.facts.clear([...condition.names, ...DEVICE_FACTS]);
  const values = await stepValues(step, steps(), extraValues, options, { names: step.facts });
  const certain = certainValues(values, options.event);
  const known = withoutPendingLists(certain, listsMayBeLateIn(options, values));
  return condition.evaluate(conditionValues(known), options.now());
}

/** Which facts {@link stepValues} looks up. */
interface FactChoice {
  /** By default those that are known before a look: see `lookFacts` of a step. */
  readonly names?: ReadonlySet<string>;
  /** Whether a fact that is unavailable is left out. */
  readonly goesWithout?: (fact: string, error: SimpleMdmError) => boolean;
}

/** The variables of a step's condition and templates. */
export async function stepValues(
  step: Step,
  steps: readonly StepRecord[],
  extraValues: Values,
  {
    event,
    facts,
    dryRun,
    raised,
    secrets,
  }: Pick<RunContext, 'event' | 'facts' | 'dryRun' | 'raised' | 'secrets'>,
  {
    names = new Set([...step.facts].filter((name) => !step.lookFacts.has(name))),
    goesWithout = () => false,
  }: FactChoice = {},
): Promise<Record<string, unknown>> {
  const fetch = async (name: string): Promise<(readonly [string, unknown])[]> => {
    try {
      return [[name, await facts.fetch(name)]];
    } catch (error) {
      if (error instanceof SimpleMdmError && goesWithout(name, error)) return [];
      throw error;
    }
  };
  const entries = (await Promise.all([...names].map(fetch))).flat();
  // The record of the device tells whether an empty list is one that the device has not reported yet.
  const needsDevice = !names.has('device') && entries.some(([name, value]) => dependsOnDevice(name, value));
  const device = needsDevice ? await fetch('device') : [];
  return withNestedFacts({
    event: eventValue(event),
    ...Object.fromEntries([...entries, ...device]),
    steps: stepOutputs(steps, dryRun, secrets.reveal),
    ...(raised && { raised }),
    ...extraValues,
  });
}
