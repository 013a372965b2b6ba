import { secretsOf } from '../rules/model/rule-secrets.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/rule-file.js';
import type { CompiledRules } from '../rules/rule-file.js';
import { createRedaction } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';

/** Rule files as a command uses them. */
export interface LoadedRules extends Pick<CompiledRules, 'rules' | 'channels'> {
  /** Masks what the rules take from the environment. */
  readonly redact: Redact;
}

/**
 * Loads the rule files for a command that works with them.
 *
 * @param path - A file or a folder; `RULES_PATH` when left out.
 * @throws OperatorError with every problem of every file.
 */
export async function loadRules(env: NodeJS.ProcessEnv, path: string | undefined): Promise<LoadedRules> {
  const settings = readSettings(env, []);
  const vocabulary = serviceVocabulary(env, readAccounts(settings, env, []).keys());
  const compiled = compileRuleFiles(await readRuleFiles(path ?? settings.RULES_PATH), vocabulary);
  if (compiled.problems.length > 0) throw new OperatorError(compiled.problems);
  return { ...compiled, redact: createRedaction(secretsOf(compiled, env)).redact };
}
