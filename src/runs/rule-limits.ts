import type { RunLimit } from '../coordination/run-limits.js';
import type { Rule } from '../rules/model/rule.js';
import { ACTIONS } from '../actions/registry.js';

const HOUR_MS = 3_600_000;

/** No rule can raise or switch off what holds for steps that cannot be undone, over all rules that have some. */
const DESTRUCTIVE_LIMIT: RunLimit = {
  runs: 10,
  windowMs: HOUR_MS,
  shared: true,
  reason: 'what cannot be undone is done at most 10 times in 60 minutes, by all rules together',
};

/** What holds for a rule without a limit of its own: many, but not a fleet by mistake. */
const DEFAULT_LIMIT = { runs: 1000, perMs: HOUR_MS };

/** How many runs of a rule may begin. */
export function runLimitsOf(rule: Rule): RunLimit[] {
  const { runs, perMs: windowMs } = rule.source.limit ?? DEFAULT_LIMIT;
  const times = `${runs} ${runs === 1 ? 'time' : 'times'}`;
  const reason = `it may begin at most ${times} in ${windowMs / 60_000} ${windowMs === 60_000 ? 'minute' : 'minutes'}`;
  return [
    { runs, windowMs, shared: false, reason },
    ...(isDestructive(rule.source) ? [DESTRUCTIVE_LIMIT] : []),
  ];
}

/** Whether a rule has a step that cannot be undone. */
export function isDestructive({ do: steps }: Rule['source']): boolean {
  return steps.some(
    ({ action }) => Object.hasOwn(ACTIONS, action) && ACTIONS[action]?.class === 'destructive',
  );
}
