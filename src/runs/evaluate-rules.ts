import type { EventCause, Event } from '../events/envelope.js';
import type { Condition, ConditionResult } from '../rules/cel/condition.js';
import type { Rule } from '../rules/model/rule.js';
import { rulesFor } from '../rules/model/rule-index.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { FACTS } from '../enrichment/registry.js';
import { isRetryable } from '../enrichment/fetch-facts.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { conditionValue, eventValue, withAttributesInDevice } from '../enrichment/rule-values.js';

/** What became of a rule for an event. */
export interface Decision {
  readonly rule: Rule;
  /** `waiting`: a fact could not be fetched now; the event is tried again. */
  readonly verdict: 'matched' | 'not_matched' | 'error' | 'waiting' | 'disabled';
  /** Why; for a rule that did not fire, the part of the condition that said no. */
  readonly reason: string;
  /** It was passed by because a step of ours brought the event about. */
  readonly ownAction?: true;
  /** What to try again for, when it waits. */
  readonly cause?: unknown;
}

/**
 * Decides every rule that listens for the event's type. Facts are fetched lazily, cheapest first, and no more of them than
 * decide the condition; a rule that matched also has the facts of its steps fetched. Rules do not hold each other up.
 */
export async function evaluateRules(
  event: Event,
  rules: readonly Rule[],
  facts: Pick<FactFetcher, 'fetch'>,
  now: () => Date = () => new Date(),
): Promise<Decision[]> {
  const values = createConditionFacts(event, facts);
  const byClock = (event.originalSource ?? event.source) === 'schedule';
  return Promise.all(
    rulesFor(rules, event.type, byClock).map((rule) => evaluateRule(event, rule, facts, values, now)),
  );
}

/** So many events in a row may be brought about by rules; more are a loop. */
const MOST_LINKS = 3;

/** Whether rules go round in a circle. */
export function isChainTooLong({ chainLength }: EventCause): boolean {
  return chainLength > MOST_LINKS;
}

/** What conditions are decided on, made of each fact once for all rules of an event. */
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
      const value = lookedUp(name, facts).then((fact) => conditionValue(name, fact));
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
  if (!enabled) return { rule, verdict: 'disabled', reason: 'the rule says enabled: false' };
  if (accounts !== undefined && !accounts.includes(event.account)) {
    return { rule, verdict: 'not_matched', reason: `the rule is for ${accounts.join(', ')}` };
  }
  const ours = event.causedBy;
  if (ours !== undefined && isChainTooLong(ours)) {
    return {
      rule,
      verdict: 'not_matched',
      reason: `${ours.chainLength} events in a row were brought about by rules: the chain is cut`,
    };
  }
  // An event that a rule raised on purpose is there to be taken.
  if (ours !== undefined && !onOwnActions && event.source !== 'rule') {
    const reason = `the rule ${ours.rule} brought this event about (event ${ours.event.slice(0, 12)}); on_own_actions is not true`;
    return { rule, verdict: 'not_matched', reason, ownAction: true };
  }
  try {
    const { condition } = rule;
    if (condition !== undefined) {
      const decided = await decide(condition, rule, values, now());
      if (decided.result === 'error') return { rule, verdict: 'error', reason: decided.reason };
      if (decided.result === 'false') return { rule, verdict: 'not_matched', reason: decided.reason };
    }
    await Promise.all([...rule.stepFacts].map((name) => lookedUp(name, facts)));
    return {
      rule,
      verdict: 'matched',
      reason: condition === undefined ? 'the rule has no condition' : `${condition.text} is true`,
    };
  } catch (error) {
    const reason = errorText(error);
    const cause = error instanceof LookupFailed ? error.cause : error;
    return isRetryable(cause)
      ? { rule, verdict: 'waiting', reason, cause }
      : { rule, verdict: 'error', reason };
  }
}

/** A fact that could not be had, by its name: several rules may wait, each for another one. */
class LookupFailed extends Error {
  override readonly name = 'LookupFailed';
}

async function lookedUp(name: string, facts: Pick<FactFetcher, 'fetch'>): Promise<unknown> {
  try {
    return await facts.fetch(name);
  } catch (cause) {
    throw new LookupFailed(`${name} could not be looked up: ${errorText(cause)}`, { cause });
  }
}

async function decide(
  condition: Condition,
  rule: Rule,
  facts: ConditionFacts,
  now: Date,
): Promise<ConditionResult> {
  const names = [...rule.conditionFacts].sort((a, b) => (FACTS[a]?.cost ?? 0) - (FACTS[b]?.cost ?? 0));
  let values: Values = { event: facts.event };
  for (const [index, name] of names.entries()) {
    // Without a single fact only a condition on the event is decided, and that needs none.
    const mayBeSettled = index > 0 || condition.names.has('event');
    if (mayBeSettled && condition.partialResult(values, now) !== undefined) break;
    values = withAttributesInDevice({ ...values, [name]: await facts.of(name) });
  }
  return condition.evaluate(values, now);
}
