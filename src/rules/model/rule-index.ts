import { isScheduleType, listensFor } from './event-pattern.js';
import type { Rule } from './rule.js';

/** Rules by the event types that they listen for. */
interface RuleIndex {
  /** By type, for rules that name their types in full. */
  readonly exact: ReadonlyMap<string, readonly number[]>;
  /** The positions of rules with a `*` in a pattern. */
  readonly open: readonly number[];
}

const indexes = new WeakMap<readonly Rule[], RuleIndex>();

/**
 * The rules that listen for events of a type, in their order. The index is made once for a list of rules: of a thousand rules only those
 * are looked at that may listen.
 *
 * @param byClock - Whether the clock made the event.
 */
export function rulesFor(rules: readonly Rule[], type: string, byClock: boolean): readonly Rule[] {
  if (isScheduleType(type) && !byClock) return [];
  const { exact, open } = indexOf(rules);
  const named = exact.get(type) ?? [];
  const matching = open.filter((position) =>
    rules[position]?.source.on.some((pattern) => listensFor(pattern, type, byClock)),
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
  const known = indexes.get(rules);
  if (known !== undefined) return known;
  const exact = new Map<string, number[]>();
  const open: number[] = [];
  for (const [position, { source }] of rules.entries()) {
    for (const pattern of new Set(source.on)) {
      if (!pattern.includes('*')) listOf(exact, pattern).push(position);
    }
    if (source.on.some((pattern) => pattern.includes('*'))) open.push(position);
  }
  const index = { exact, open };
  indexes.set(rules, index);
  return index;
}
