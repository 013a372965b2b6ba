import type { ErrorCode } from '../errors/registry.js';
import type { Event } from '../events/envelope.js';
import type { RunEdge } from '../queues/jobs.js';
import { onOneLine } from '../rules/cel/condition.js';
import type { Condition, ConditionResult } from '../rules/cel/condition.js';
import type { Rule } from '../rules/model/rule.js';
import { rulesFor } from '../rules/model/rule-index.js';
import type { Values } from '../rules/model/values.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorText } from '../telemetry/error-text.js';
import { FACTS } from '../enrichment/registry.js';
import { isRetryable } from '../enrichment/fetch-facts.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { dependsOnDevice, missingInventory, withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValue, eventValue, withNestedFacts } from '../enrichment/rule-values.js';
import { deviceReferenceOf, uncertainDeviceOf } from '../events/webhook-types.js';
import { notArrived, waitingFor } from './inventory-looks.js';
import { isChainTooLong } from './loop-protection.js';
import { enrolledRecently, isSettling, listsMayBeLate, settleMsOf } from './settling.js';
import type { Settling } from './settling.js';
import { isUncertainFact } from './uncertain-device.js';

/** The verdict on a rule for an event. */
export interface Decision {
  readonly rule: Rule;
  /**
   * `waiting`: a fact is unavailable now, or the device has not reported it yet; the event is retried. `cleared`: the condition of a rule
   * with `when` is false again.
   */
  readonly verdict: 'matched' | 'cleared' | 'not_matched' | 'error' | 'waiting' | 'disabled';
  /** Why. For a rule that did not match: the part of the condition that is not true. */
  readonly reason: string;
  /** Set when the reason is a problem. */
  readonly code?: ErrorCode;
  /** The rule ignored the event because an action of a rule caused it. */
  readonly ownAction?: true;
  /** The rule did not match because a null left its condition undecided. */
  readonly unknown?: true;
  /** What turned, for a rule with `when`. */
  readonly edge?: RunEdge;
  /** The keys of `once_per`, for a rule that matched. */
  readonly onceKeys?: readonly string[];
  /** The failed lookup, when the verdict is `waiting` for it. */
  readonly cause?: SimpleMdmError | LookupUnavailableError;
  /** What the device has not reported yet, when the verdict is `waiting` for it, and until when (epoch milliseconds). */
  readonly inventory?: { readonly missing: readonly string[]; readonly until: number };
}

/**
 * Evaluates each rule for the event's type. Looks up facts lazily, the cheapest first, and only as many as decide the condition. For a
 * rule that matched, it also looks up the facts of its steps. A fact that is unavailable affects only the rules that need it.
 *
 * @param settlingSince - When the event was first evaluated, in epoch milliseconds: the `settle` of a rule counts from then. Without it,
 * rules decide at once.
 */
export async function evaluateRules(
  event: Event,
  rules: readonly Rule[],
  facts: Pick<FactFetcher, 'fetch'>,
  now: () => Date = () => new Date(),
  settlingSince?: number,
): Promise<Decision[]> {
  const values = createConditionFacts(event, facts);
  const isScheduled = (event.originalSource ?? event.source) === 'schedule';
  return Promise.all(
    rulesFor(rules, event.type, isScheduled).map((rule) => {
      const settleMs = settleMsOf(rule.source, event);
      const settling =
        settlingSince === undefined || settleMs === 0
          ? undefined
          : { since: settlingSince, until: settlingSince + settleMs };
      return evaluateRule(event, rule, { facts, values, settling, now });
    }),
  );
}

/** The values for conditions. Each fact is converted once for all rules of an event. */
interface ConditionFacts {
  readonly event: unknown;
  readonly of: (name: string) => Promise<unknown>;
}

function createConditionFacts(event: Event, facts: Pick<FactFetcher, 'fetch'>): ConditionFacts {
  const converted = new Map<string, Promise<unknown>>();
  return {
    event: conditionValue('event', eventValue(event)),
    of: (name) => {
      const known = converted.get(name);
      if (known !== undefined) return known;
      const value = lookUp(name, facts).then((fact) => conditionValue(name, fact));
      converted.set(name, value);
      return value;
    },
  };
}

/** What the evaluation of a rule works with. */
interface Evaluation {
  readonly facts: Pick<FactFetcher, 'fetch'>;
  readonly values: ConditionFacts;
  /** The time in which the rule waits for inventory; undefined when it does not. */
  readonly settling: Settling | undefined;
  readonly now: () => Date;
}

async function evaluateRule(event: Event, rule: Rule, evaluation: Evaluation): Promise<Decision> {
  const { facts } = evaluation;
  const { enabled, accounts, onOwnActions } = rule.source;
  if (!enabled) return { rule, verdict: 'disabled', reason: 'the rule is disabled (enabled: false)' };
  if (accounts !== undefined && !accounts.includes(event.account)) {
    const reason = `the rule applies to other accounts (accounts: ${accounts.join(', ')})`;
    return { rule, verdict: 'not_matched', reason };
  }
  const { causedBy } = event;
  if (causedBy !== undefined && isChainTooLong(causedBy)) {
    const reason = `${causedBy.chainLength} events in a row were caused by rules: the chain is cut`;
    return { rule, verdict: 'not_matched', reason, code: 'event/chain-cut' };
  }
  // Rules emit events for other rules, so those are not ignored.
  if (causedBy !== undefined && !onOwnActions && event.source !== 'rule') {
    const reason = `caused by the rule ${causedBy.rule} (event ${causedBy.event.slice(0, 12)}); on_own_actions is not true`;
    return { rule, verdict: 'not_matched', reason, ownAction: true };
  }
  try {
    const { condition } = rule;
    if (condition !== undefined) {
      const { verdict, missing, isWaiting } = await evaluateCondition(condition, rule, event, evaluation);
      if (isWaiting) return waitsForInventory(rule, missing, evaluation);
      if (verdict.result === 'error')
        return { rule, verdict: 'error', reason: verdict.reason, code: 'event/rule-undecided' };
      if (verdict.result === 'false') {
        const { unknown } = verdict;
        const reason =
          missing.length === 0 ? verdict.reason : `${verdict.reason}; ${lateReason(missing, evaluation)}`;
        return { rule, verdict: 'not_matched', reason, ...(unknown && { unknown }) };
      }
    }
    await Promise.all([...rule.stepFacts].map((name) => lookUp(name, facts)));
    const missingInKeys = await missingInKeysOf(rule, event, evaluation);
    if (missingInKeys.length > 0) return waitsForInventory(rule, missingInKeys, evaluation);
    return {
      rule,
      verdict: 'matched',
      reason: condition === undefined ? 'the rule has no condition' : `${onOneLine(condition.text)} is true`,
    };
  } catch (error) {
    const reason = errorText(error);
    const cause = error instanceof LookupError ? error.cause : error;
    return (cause instanceof SimpleMdmError || cause instanceof LookupUnavailableError) && isRetryable(cause)
      ? { rule, verdict: 'waiting', reason, code: 'event/facts-unavailable', cause }
      : { rule, verdict: 'error', reason, code: 'event/rule-undecided' };
  }
}

/** A fact that could not be looked up. Names the fact: each rule may wait for another one. */
class LookupError extends Error {
  override readonly name = 'LookupError';
}

async function lookUp(name: string, facts: Pick<FactFetcher, 'fetch'>): Promise<unknown> {
  try {
    return await facts.fetch(name);
  } catch (cause) {
    throw new LookupError(`${name} could not be looked up: ${errorText(cause)}`, { cause });
  }
}

function waitsForInventory(rule: Rule, missing: readonly string[], { settling }: Evaluation): Decision {
  const until = settling?.until ?? 0;
  const reason = waitingFor(missing);
  return { rule, verdict: 'waiting', reason, code: 'event/inventory-pending', inventory: { missing, until } };
}

function lateReason(missing: readonly string[], { settling }: Evaluation): string {
  return settling === undefined
    ? `the device has not reported ${missing.join(', ')}`
    : notArrived(missing, settling.until - settling.since);
}

/** The result of a condition, and the inventory that the device may still report. */
interface ConditionEvaluation {
  readonly verdict: ConditionResult;
  /** What left the condition undecided and has not arrived, if the rule waits or has waited for it. */
  readonly missing: readonly string[];
  readonly isWaiting: boolean;
}

async function evaluateCondition(
  condition: Condition,
  rule: Rule,
  event: Event,
  { values: facts, settling, now }: Evaluation,
): Promise<ConditionEvaluation> {
  const names = [...rule.conditionFacts].sort((a, b) => (FACTS[a]?.cost ?? 0) - (FACTS[b]?.cost ?? 0));
  const at = now();
  let values: Values = { event: facts.event };
  const uncertainDevice = uncertainDeviceOf(event);
  let isUncertain = false;
  const isWaiting = (): boolean => isSettling(event, values['device'] ?? null, settling, at);
  const listsAreLate = (): boolean =>
    listsMayBeLate(event, rule.source, values['device'] ?? null, settling, at);
  const known = (): Values => withoutPendingLists(values, listsAreLate());
  for (const [index, name] of names.entries()) {
    // Before the first fact, only a condition on the event can be decided.
    const mayBeDecided = index > 0 || condition.names.has('event');
    if (mayBeDecided && condition.partialResult(known(), at) !== undefined) break;
    const value = await facts.of(name);
    if (uncertainDevice !== undefined && isUncertainFact(name, value)) {
      isUncertain = true;
      continue;
    }
    values = withNestedFacts({ ...values, [name]: value });
    if (values['device'] === undefined && dependsOnDevice(name, value))
      values = withNestedFacts({ ...values, device: await facts.of('device') });
  }
  const verdict = condition.evaluate(known(), at);
  // Without its device, neither `device == null` nor its opposite is known, and no inventory will arrive.
  if (isUncertain && verdict.result !== 'true' && (verdict.result === 'error' || verdict.unknown === true)) {
    const reason = `${uncertainDevice ?? ''}: ${onOneLine(condition.text)} is undecided`;
    return { verdict: { result: 'false', reason, unknown: true }, missing: [], isWaiting: false };
  }
  if (verdict.result !== 'false' || verdict.unknown !== true)
    return { verdict, missing: [], isWaiting: false };
  const device = values['device'] ?? null;
  // The reason names the null fields of the device itself. An empty list that counts as unknown needs a word.
  const paths =
    settling === undefined ? condition.paths.filter(([fact]) => fact !== 'device') : condition.paths;
  const isRecent = settling === undefined || enrolledRecently(event, device, settling);
  const missing = isRecent ? missingInventory(paths, known(), listsAreLate()) : [];
  return { verdict, missing, isWaiting: missing.length > 0 && isWaiting() };
}

/**
 * The inventory that the keys of a rule name and that the rule waits for: an empty `concurrency.key` would put its runs in no group, and
 * `once_per` needs the serial number to know a device that enrolls again with another id.
 */
async function missingInKeysOf(
  rule: Rule,
  event: Event,
  { values: facts, settling, now }: Evaluation,
): Promise<readonly string[]> {
  const { concurrencyKey, onceKey, stepFacts } = rule;
  if (settling === undefined) return [];
  const keys = [concurrencyKey, onceKey].flatMap((key) => key ?? []);
  const needsSerialNumber =
    rule.source.oncePer === 'device' && deviceReferenceOf(event)?.serialNumber === undefined;
  const paths = [...keys.flatMap((key) => key.paths), ...(needsSerialNumber ? [SERIAL_NUMBER_PATH] : [])];
  if (paths.length === 0) return [];
  const names = [...new Set(paths.map(([name = '']) => name))].filter((name) => stepFacts.has(name));
  const entries = await Promise.all(names.map(async (name) => [name, await facts.of(name)] as const));
  const values: Values = Object.fromEntries(entries);
  const isWaiting = isSettling(event, values['device'] ?? null, settling, now());
  return isWaiting ? missingInventory(paths, values, true) : [];
}

const SERIAL_NUMBER_PATH: readonly string[] = ['device', 'serial_number'];
