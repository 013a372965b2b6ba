import { isScheduleType, listensFor } from './event-pattern.js';
import type { Rule } from './rule.js';

/** Rules by the event types that they listen for, as positions in the list of rules. */
interface RuleIndex {
  /** By type, for rules that name their types in full. */
  readonly byType: ReadonlyMap<string, readonly number[]>;
  /** Rules with a `*` in a pattern. */
  readonly withPattern: readonly number[];
}

const indexes = new WeakMap<readonly Rule[], RuleIndex>();

/**
 * The rules that listen for events of a type, in file order. Each list of rules is indexed once, so that an event checks only the
 * rules that may listen for it.
 *
 * @param bySchedule - Whether a schedule emitted the event.
 */
export function rulesFor(rules: readonly Rule[], type: string, bySchedule: boolean): readonly Rule[] {
  if (isScheduleType(type) && !bySchedule) return [];
  const { byType, withPattern } = indexOf(rules);
  const named = byType.get(type) ?? [];
  const matching = withPattern.filter((position) =>
    rules[position]?.source.on.some((pattern) => listensFor(pattern, type, bySchedule)),
  );
  const positions =
    matching.length === 0 ? named : [...new Set([...named, ...matching])].sort((a, b) => a - b);
  return positions.flatMap((position) => rules[position] ?? []);
}

function listOf(lists: Map<string, number[]>, name: string): number[] {
  const existing = lists.get(name);
  if (existing !== undefined) return existing;
  const list: number[] = [];
  lists.set(name, list);
  return list;
}

function indexOf(rules: readonly Rule[]): RuleIndex {
  const existing = indexes.get(rules);
  if (existing !== undefined) return existing;
  const byType = new Map<string, number[]>();
  const withPattern: number[] = [];
  for (const [position, { source }] of rules.entries()) {
    for (const pattern of new Set(source.on)) {
      if (!pattern.includes('*')) listOf(byType, pattern).push(position);
    }
    if (source.on.some((pattern) => pattern.includes('*'))) withPattern.push(position);
  }
  const index = { byType, withPattern };
  indexes.set(rules, index);
  return index;
}
