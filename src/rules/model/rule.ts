import type { Condition } from '../cel/condition.js';
import type { ListExpression } from '../cel/list-expression.js';
import type { TextPlace } from '../liquid/text-place.js';
import type { Template } from '../liquid/template.js';
import type { RuleSource, StepSource } from './rule-schema.js';

/** A compiled step. */
export interface Step {
  readonly source: StepSource;
  readonly condition: Condition | undefined;
  /** The list whose items the step runs for. */
  readonly forEach: ListExpression | undefined;
  /** The compiled templates by {@link templateKey}. */
  readonly templates: ReadonlyMap<string, Template>;
  /** The conditions among its arguments, such as `until`, by the name of the argument. */
  readonly argumentConditions: ReadonlyMap<string, Condition>;
  /** The facts that its conditions, its templates and its action read. */
  readonly facts: ReadonlySet<string>;
  /** Those of `facts` that only the conditions among its arguments read. */
  readonly lookFacts: ReadonlySet<string>;
}

/** The key of a compiled template: the same text at another place renders differently. */
export function templateKey(place: TextPlace, text: string): string {
  return `${place} ${text}`;
}

/** A compiled rule. */
export interface Rule {
  readonly source: RuleSource;
  readonly condition: Condition | undefined;
  /** Renders the key of the concurrency group; undefined: the device is the key. */
  readonly concurrencyKey: Template | undefined;
  /** The facts that its condition reads: fetched to evaluate the rule. */
  readonly conditionFacts: ReadonlySet<string>;
  readonly steps: readonly Step[];
  /** The steps of `on_clear`. */
  readonly clearSteps: readonly Step[];
  /** Renders the key of `once_per`; undefined: the device is the key, if the rule has `once_per` at all. */
  readonly onceKey: Template | undefined;
  /** The facts that `do`, its concurrency key and `once_per` read: fetched only when the rule matches. */
  readonly stepFacts: ReadonlySet<string>;
}
