import type { ErrorCode } from '../errors/registry.js';
import type { Event } from '../events/envelope.js';
import type { Condition, ConditionResult } from '../rules/cel/condition.js';
import type { Rule } from '../rules/model/rule.js';
import { rulesFor } from '../rules/model/rule-index.js';
import type { Values } from '../rules/model/values.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorText } from '../telemetry/error-text.js';
import { FACTS } from '../enrichment/registry.js';
import { isRetryable } from '../enrichment/fetch-facts.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { conditionValue, eventValue, withAttributesInDevice } from '../enrichment/rule-values.js';
import { isChainTooLong } from './loop-protection.js';

/** The verdict on a rule for an event. */
export interface Decision {
  readonly rule: Rule;
  /** `waiting`: a fact is unavailable now; the event is retried. */
  readonly verdict: 'matched' | 'not_matched' | 'error' | 'waiting' | 'disabled';
  /** Why. For a rule that did not match: the part of the condition that is not true. */
  readonly reason: string;
  /** Set when the reason is a problem. */
  readonly code?: ErrorCode;
  /** The rule ignored the event because an action of a rule caused it. */
  readonly ownAction?: true;
  /** The rule did not match because a null left its condition undecided. */
  readonly unknown?: true;
  /** The failed call, when the verdict is `waiting`. */
  readonly cause?: SimpleMdmError;
}

/**
 * Evaluates each rule for the event's type. Looks up facts lazily, the cheapest first, and only as many as decide the condition. For a
 * rule that matched, it also looks up the facts of its steps. A fact that is unavailable affects only the rules that need it.
 */
export async function evaluateRules(
  event: Event,
  rules: readonly Rule[],
  facts: Pick<FactFetcher, 'fetch'>,
  now: () => Date = () => new Date(),
): Promise<Decision[]> {
  const values = createConditionFacts(event, facts);
  const isScheduled = (event.originalSource ?? event.source) === 'schedule';
  return Promise.all(
    rulesFor(rules, event.type, isScheduled).map((rule) => evaluateRule(event, rule, facts, values, now)),
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

async function evaluateRule(
  event: Event,
  rule: Rule,
  facts: Pick<FactFetcher, 'fetch'>,
  values: ConditionFacts,
  now: () => Date,
): Promise<Decision> {
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
      const verdict = await evaluateCondition(condition, rule, values, now());
      if (verdict.result === 'error')
        return { rule, verdict: 'error', reason: verdict.reason, code: 'event/rule-undecided' };
      if (verdict.result === 'false') {
        const { reason, unknown } = verdict;
        return { rule, verdict: 'not_matched', reason, ...(unknown && { unknown }) };
      }
    }
    await Promise.all([...rule.stepFacts].map((name) => lookUp(name, facts)));
    return {
      rule,
      verdict: 'matched',
      reason: condition === undefined ? 'the rule has no condition' : `${condition.text} is true`,
    };
  } catch (error) {
    const reason = errorText(error);
    const cause = error instanceof LookupError ? error.cause : error;
    return cause instanceof SimpleMdmError && isRetryable(cause)
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

async function evaluateCondition(
  condition: Condition,
  rule: Rule,
  facts: ConditionFacts,
  now: Date,
): Promise<ConditionResult> {
  const names = [...rule.conditionFacts].sort((a, b) => (FACTS[a]?.cost ?? 0) - (FACTS[b]?.cost ?? 0));
  let values: Values = { event: facts.event };
  for (const [index, name] of names.entries()) {
    // Before the first fact, only a condition on the event can be decided.
    const mayBeDecided = index > 0 || condition.names.has('event');
    if (mayBeDecided && condition.partialResult(values, now) !== undefined) break;
    values = withAttributesInDevice({ ...values, [name]: await facts.of(name) });
  }
  return condition.evaluate(values, now);
}
