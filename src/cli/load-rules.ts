import { secretsOf } from '../rules/model/rule-secrets.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/compile-rule-files.js';
import type { CompiledRules } from '../rules/compile-rule-files.js';
import { createRedaction } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';

/** The rules and channels of rule files, for a command. */
export interface LoadedRules extends Pick<CompiledRules, 'rules' | 'channels' | 'lookups'> {
  /** Masks the environment variables that the rules use. */
  readonly redact: Redact;
}

/**
 * Loads the rule files for a command.
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
