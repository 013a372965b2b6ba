import { envReferencesIn } from '../src/config/env-reference.js';
import type { Rule } from '../src/rules/rule.js';

/** The values of the environment that rules refer to as `${env:NAME}`: they are to be masked wherever they would come out. */
export function secretsOf(rules: readonly Rule[], env: NodeJS.ProcessEnv): (string | undefined)[] {
  return rules.flatMap((rule) => envReferencesIn(JSON.stringify(rule.source)).map((name) => env[name]));
}
