import { compileRule } from '../rules/compile-rule.js';
import type { Rule } from '../rules/model/rule.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { canonicalJson } from '../events/fingerprint.js';

/** The live rules and what rules may use. */
export interface CompileOptions {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: () => Vocabulary;
}

/**
 * Compiles the rule of a run. Does not check references and variables: what is missing fails the step that needs it, not the run.
 *
 * @returns The rule, or its problems as a string.
 */
export function compilePlannedRule(source: RuleSource, { rules, vocabulary }: CompileOptions): Rule | string {
  // Compiling is expensive, and most runs use the live rule.
  const live = rules().find((rule) => rule.source.id === source.id && isSameRule(rule.source, source));
  if (live !== undefined) return live;
  const { catalogs: _catalogs, ...known } = vocabulary();
  const problems: string[] = [];
  const rule = compileRule(
    source,
    { ...known, isEnvSet: () => true },
    [],
    ({ message }) => void problems.push(message),
  );
  return problems.length === 0 ? rule : problems.join('; ');
}

/** The canonical JSON of rules. Runs share the rule that they were planned with: see `ruleOfJob` in the queues. */
const canonical = new WeakMap<RuleSource, string>();

function isSameRule(a: RuleSource, b: RuleSource): boolean {
  return a === b || canonicalOf(a) === canonicalOf(b);
}

function canonicalOf(source: RuleSource): string {
  const known = canonical.get(source);
  if (known !== undefined) return known;
  const json = canonicalJson(source);
  canonical.set(source, json);
  return json;
}
