import { createHash } from 'node:crypto';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { eventValue, withNestedFacts } from '../enrichment/rule-values.js';
import type { Event } from '../events/envelope.js';
import { canonicalJson } from '../events/fingerprint.js';
import { deviceKeyOf } from '../events/webhook-types.js';
import type { Rule } from '../rules/model/rule.js';
import { errorText } from '../telemetry/error-text.js';
import type { Decision } from './evaluate-rules.js';

/** A decision on a rule that matched, with the concurrency group of its run. */
export interface GroupedDecision extends Decision {
  readonly group?: string;
}

/** Whether a decision leads to a run: of `do`, or of `on_clear`. */
export function hasRun({ verdict, rule: { source } }: Decision): boolean {
  return verdict === 'matched' || (verdict === 'cleared' && source.onClear !== undefined);
}

/** What a concurrency key can use. */
export interface GroupContext {
  readonly facts: FactFetcher;
  readonly env: NodeJS.ProcessEnv;
}

/** Adds the concurrency group to each decision that matched. A key that cannot be rendered fails only its rule. */
export async function withGroups(
  decisions: readonly Decision[],
  event: Event,
  context: GroupContext,
): Promise<GroupedDecision[]> {
  return Promise.all(
    decisions.map(async (decision): Promise<GroupedDecision> => {
      if (!hasRun(decision)) return decision;
      try {
        const group = await concurrencyGroupOf(decision.rule, event, context);
        return group === undefined ? decision : { ...decision, group };
      } catch (error) {
        const key = decision.rule.source.concurrency?.key ?? '';
        return {
          ...decision,
          verdict: 'error',
          code: 'event/rule-undecided',
          reason: `concurrency.key "${key}" cannot be rendered: ${errorText(error)}; add {{ … | default: "-" }} for a missing value`,
        };
      }
    }),
  );
}

/**
 * The concurrency group of a run: the hash of account, rule, and the rule's key or else the device.
 *
 * @returns Undefined when the key is empty or there is neither key nor device.
 */
async function concurrencyGroupOf(
  rule: Rule,
  event: Event,
  { facts, env }: GroupContext,
): Promise<string | undefined> {
  const template = rule.concurrencyKey;
  const names = [...(template?.names ?? [])].filter((name) => rule.stepFacts.has(name));
  const values = await Promise.all(names.map(async (name) => [name, await facts.fetch(name)] as const));
  const key =
    template === undefined
      ? (rule.source.concurrency?.key ?? deviceKeyOf(event))
      : template.render(withNestedFacts({ event: eventValue(event), ...Object.fromEntries(values) }), env);
  if (key === undefined || key.trim() === '') return undefined;
  return createHash('sha256')
    .update(canonicalJson([event.account, rule.source.id, key]))
    .digest('hex');
}
