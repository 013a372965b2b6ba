import type { RunLimit } from '../coordination/run-limits.js';
import type { Rule } from '../rules/model/rule.js';
import { ACTIONS } from '../actions/registry.js';

const HOUR_MS = 3_600_000;

/** The limit for rules with destructive actions, counted over all of them. No rule can change it. */
const DESTRUCTIVE_LIMIT: RunLimit = {
  runs: 10,
  windowMs: HOUR_MS,
  shared: true,
  reason: 'the limit of 10 runs with destructive actions per 60 minutes, for all rules together, is reached',
};

/** The limit of a rule without `limit`: many runs, but not a whole fleet by mistake. */
const DEFAULT_LIMIT = { runs: 1000, perMs: HOUR_MS };

/** The run limits of a rule. */
export function runLimitsOf(rule: Rule): RunLimit[] {
  const { runs, perMs: windowMs } = rule.source.limit ?? DEFAULT_LIMIT;
  const count = `${runs} ${runs === 1 ? 'run' : 'runs'}`;
  const window = `${windowMs / 60_000} ${windowMs === 60_000 ? 'minute' : 'minutes'}`;
  const reason = `the limit of ${count} per ${window} is reached`;
  return [
    { runs, windowMs, shared: false, reason },
    ...(isDestructive(rule.source) ? [DESTRUCTIVE_LIMIT] : []),
  ];
}

/** Whether a rule has a destructive action. */
export function isDestructive({ do: steps, onClear = [] }: Pick<Rule['source'], 'do' | 'onClear'>): boolean {
  return [...steps, ...onClear].some(
    ({ action }) => Object.hasOwn(ACTIONS, action) && ACTIONS[action]?.class === 'destructive',
  );
}
