import { envReferencesIn } from '../src/config/env-reference.js';
import { OperatorError } from '../src/config/operator-error.js';
import { readRuleFiles } from '../src/config/read-rule-files.js';
import type { Rule } from '../src/rules/rule.js';
import { compileRuleFiles } from '../src/rules/rule-file.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';

/**
 * Reads and compiles the rules.
 *
 * @param path - `RULES_PATH`.
 * @throws OperatorError with every problem of every file, each with its place.
 */
export async function loadRules(path: string, vocabulary: Vocabulary): Promise<readonly Rule[]> {
  const { rules, problems } = compileRuleFiles(await readRuleFiles(path), vocabulary);
  if (problems.length > 0) throw new OperatorError(problems);
  return rules;
}

/** The values of the environment that rules refer to as `${env:NAME}`: they are to be masked wherever they would come out. */
export function secretsOf(rules: readonly Rule[], env: NodeJS.ProcessEnv): (string | undefined)[] {
  return rules.flatMap((rule) => envReferencesIn(JSON.stringify(rule.source)).map((name) => env[name]));
}
