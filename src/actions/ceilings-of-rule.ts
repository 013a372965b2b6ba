import type { Ceiling } from '../journal/ceilings.js';
import type { Rule } from '../rules/rule.js';
import { ACTIONS } from './registry.js';

const HOUR_MS = 3_600_000;

/** No rule can raise or switch off what holds for steps that cannot be undone, over all rules that have some. */
const DESTRUCTIVE: Ceiling = {
  runs: 10,
  perMs: HOUR_MS,
  shared: true,
  reason: 'what cannot be undone is done at most 10 times in 60 minutes, by all rules together',
};

/** What holds for a rule without a limit of its own: many, but not a fleet by mistake. */
const UNSAID = { runs: 1000, perMs: HOUR_MS };

/** How many runs of a rule may begin. */
export function ceilingsOf(rule: Rule): Ceiling[] {
  const { runs, perMs } = rule.source.limit ?? UNSAID;
  const times = `${runs} ${runs === 1 ? 'time' : 'times'}`;
  const reason = `it may begin at most ${times} in ${perMs / 60_000} ${perMs === 60_000 ? 'minute' : 'minutes'}`;
  return [{ runs, perMs, shared: false, reason }, ...(isDestructive(rule.source) ? [DESTRUCTIVE] : [])];
}

/** Whether a rule has a step that cannot be undone. */
export function isDestructive({ do: steps }: Rule['source']): boolean {
  return steps.some(
    ({ action }) => Object.hasOwn(ACTIONS, action) && ACTIONS[action]?.class === 'destructive',
  );
}
