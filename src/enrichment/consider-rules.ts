import type { CauseOfEvent, Event } from '../events/envelope.js';
import type { Condition, Verdict } from '../rules/condition.js';
import { listensFor } from '../rules/event-pattern.js';
import type { Rule } from '../rules/rule.js';
import { errorText } from '../telemetry/error-text.js';
import { FACTS } from './facts.js';
import { mayPassLater } from './fetch-facts.js';
import type { FactFetcher } from './fetch-facts.js';
import { conditionValues, eventValue, withAttributesInDevice } from './rule-values.js';

/** What became of a rule for an event. */
export interface Decision {
  readonly rule: Rule;
  /** `waiting`: a fact could not be fetched now; the event is tried again. */
  readonly verdict: 'matched' | 'not_matched' | 'error' | 'waiting' | 'disabled';
  /** Why; for a rule that did not fire, the part of the condition that said no. */
  readonly reason: string;
  /** What to try again for, when it waits. */
  readonly cause?: unknown;
}

/**
 * Decides every rule that listens for the event's type. Facts are fetched lazily, cheapest first, and no more of them than
 * decide the condition; a rule that matched also has the facts of its steps fetched. Rules do not hold each other up.
 */
export async function considerRules(
  event: Event,
  rules: readonly Rule[],
  facts: FactFetcher,
  now: () => Date = () => new Date(),
): Promise<Decision[]> {
  const listening = rules.filter((rule) => rule.source.on.some((pattern) => listensFor(pattern, event.type)));
  return Promise.all(listening.map((rule) => consider(event, rule, facts, now)));
}

/** So many events in a row may be brought about by rules; more are a loop. */
const MOST_LINKS = 3;

/** Whether rules go round in a circle. */
export function isChainTooLong({ links }: CauseOfEvent): boolean {
  return links > MOST_LINKS;
}

async function consider(event: Event, rule: Rule, facts: FactFetcher, now: () => Date): Promise<Decision> {
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
      reason: `${ours.links} events in a row were brought about by rules: the chain is cut`,
    };
  }
  // An event that a rule raised on purpose is there to be taken.
  if (ours !== undefined && !onOwnActions && event.source !== 'rule') {
    const reason = `the rule ${ours.rule} brought this event about (event ${ours.event.slice(0, 12)}); on_own_actions is not true`;
    return { rule, verdict: 'not_matched', reason };
  }
  try {
    const { condition } = rule;
    if (condition !== undefined) {
      const verdict = await decide(condition, event, rule, facts, now);
      if (verdict.outcome === 'error') return { rule, verdict: 'error', reason: verdict.because };
      if (verdict.outcome === 'false') return { rule, verdict: 'not_matched', reason: verdict.because };
    }
    await Promise.all([...rule.stepFacts].map((name) => facts.fetch(name)));
    return {
      rule,
      verdict: 'matched',
      reason: condition === undefined ? 'the rule has no condition' : `${condition.text} is true`,
    };
  } catch (error) {
    const reason = errorText(error);
    return mayPassLater(error)
      ? { rule, verdict: 'waiting', reason, cause: error }
      : { rule, verdict: 'error', reason };
  }
}

async function decide(
  condition: Condition,
  event: Event,
  rule: Rule,
  facts: FactFetcher,
  now: () => Date,
): Promise<Verdict> {
  const values: Record<string, unknown> = { event: eventValue(event) };
  const known = (): Record<string, unknown> => conditionValues(withAttributesInDevice(values));
  const names = [...rule.conditionFacts].sort((a, b) => (FACTS[a]?.cost ?? 0) - (FACTS[b]?.cost ?? 0));
  for (const name of names) {
    if (condition.settle(known(), now()) !== undefined) break;
    values[name] = await facts.fetch(name);
  }
  return condition.evaluate(known(), now());
}
