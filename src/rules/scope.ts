import type { Report } from './model/problem.js';
import type { Shape, Vocabulary } from './model/vocabulary.js';

/** What a condition or a template at one place of a rule can name, and where its problems go. */
export interface Scope {
  readonly vocabulary: Vocabulary;
  /** The names available beside the event and the facts: `steps`, `item`. */
  readonly extraNames: Readonly<Record<string, Shape>>;
  /** The accounts that the rule is for. */
  readonly accounts: readonly string[];
  /** The event types that the rule listens for; some may be patterns. */
  readonly eventTypes: readonly string[];
  readonly report: Report;
  /** Receives what is probably a mistake and does not stop the rule from loading. */
  readonly warn: Report;
}

/** The shapes of all names that a scope has, the event excepted. */
export function shapesIn({ vocabulary, extraNames }: Scope): Readonly<Record<string, Shape>> {
  return { ...vocabulary.facts, ...extraNames };
}
