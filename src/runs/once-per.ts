import { createHash } from 'node:crypto';
import type { OnceClaim, OnceClaims, OnceScope } from '../coordination/once-claims.js';
import { deviceIdOf, serialNumberOf } from '../enrichment/event-device.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import { eventValue, withNestedFacts } from '../enrichment/rule-values.js';
import type { Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import type { JobOutcome } from '../queues/job-outcome.js';
import type { RunJob } from '../queues/jobs.js';
import type { Rule } from '../rules/model/rule.js';
import { errorText } from '../telemetry/error-text.js';
import type { Decision } from './evaluate-rules.js';
import type { RunReason, RunSession } from './run-session.js';

const MAX_KEY_LENGTH = 200;

/**
 * Adds the keys of `once_per` to each decision that matched. A device has two keys, its serial number and its id: a device that enrolls
 * again keeps its serial number, and one that has not reported yet has only its id.
 *
 * Without a key the service cannot know whether the rule has run, so the decision becomes an error.
 */
export async function withOnceKeys(
  decisions: readonly Decision[],
  event: Event,
  facts: FactFetcher,
): Promise<Decision[]> {
  return Promise.all(
    decisions.map(async (decision): Promise<Decision> => {
      const { oncePer } = decision.rule.source;
      if (decision.verdict !== 'matched' || oncePer === undefined) return decision;
      const undecided = (reason: string): Decision => ({
        ...decision,
        verdict: 'error',
        code: 'event/rule-undecided',
        reason: `once_per: ${reason}`,
      });
      try {
        const onceKeys = await onceKeysOf(decision.rule, event, facts);
        if (onceKeys.length > 0) return { ...decision, onceKeys };
        return undecided(
          oncePer === 'device'
            ? 'the event has no device'
            : `"${oncePer}" is empty for this event, so the service cannot know whether the rule has run`,
        );
      } catch (error) {
        return undecided(`"${oncePer}" cannot be rendered: ${errorText(error)}`);
      }
    }),
  );
}

async function onceKeysOf(rule: Rule, event: Event, facts: FactFetcher): Promise<string[]> {
  const { onceKey } = rule;
  if (onceKey === undefined) {
    const context = { event, fact: facts.fetch };
    if (deviceReferenceOf(event) === undefined) return [];
    const [id, serialNumber] = [await deviceIdOf(context), await serialNumberOf(context)];
    return [
      ...(serialNumber === undefined ? [] : [`serial:${serialNumber.toUpperCase()}`]),
      ...(id === undefined ? [] : [`id:${id}`]),
    ];
  }
  const names = [...onceKey.names].filter((name) => rule.stepFacts.has(name));
  const values = await Promise.all(names.map(async (name) => [name, await facts.fetch(name)] as const));
  const text = onceKey
    .render(withNestedFacts({ event: eventValue(event), ...Object.fromEntries(values) }), {})
    .trim();
  return text === '' ? [] : [`key:${bounded(text)}`];
}

function bounded(text: string): string {
  if (text.length <= MAX_KEY_LENGTH) return text;
  return `${text.slice(0, MAX_KEY_LENGTH / 2)}…${createHash('sha256').update(text).digest('hex')}`;
}

/** Skips a run whose rule has run for the same device or key before, or runs for it now. */
export async function skipIfDone(run: RunSession, once: OnceClaims): Promise<JobOutcome | undefined> {
  const { event, onceKeys } = run.data();
  if (onceKeys === undefined) return undefined;
  const other = await once.other(scopeOf(run.data()), onceKeys, event.id);
  return other === undefined ? undefined : run.skip(alreadyRan(other, onceKeys));
}

/** Claims the keys of a run that starts now. The claim stays when the run fails, so that only its replay continues. */
export async function claimOnce(run: RunSession, once: OnceClaims): Promise<JobOutcome | undefined> {
  const { event, onceKeys } = run.data();
  if (onceKeys === undefined) return undefined;
  const claim = { event: event.id, at: new Date().toISOString() };
  const other = await once.claim(scopeOf(run.data()), onceKeys, claim);
  return other === undefined ? undefined : run.skip(alreadyRan(other, onceKeys));
}

const scopeOf = ({ event, rule }: RunJob): OnceScope => ({ account: event.account, rule: rule.id });

function alreadyRan({ event, at }: OnceClaim, keys: readonly string[]): RunReason {
  const [first = ''] = keys;
  const what = first.startsWith('key:') ? `"${first.slice('key:'.length)}"` : 'this device';
  return {
    reason: `the rule already ran for ${what} on ${at} (event ${event.slice(0, 12)}); once_per allows one run`,
    code: 'run/already-ran',
  };
}
