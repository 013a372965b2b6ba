import { serviceVocabulary } from '../actions/vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/rule-file.js';

/** What a check of rule files found. */
export interface Validation {
  readonly valid: boolean;
  /** To be printed: for people, or as JSON. */
  readonly output: string;
}

/** How rule files are checked. */
export interface ValidateOptions {
  /** A file or a folder; `RULES_PATH` when left out. */
  readonly path?: string | undefined;
  readonly json: boolean;
  /** Whether `${env:NAME}` may name variables that are not set here, as on a CI machine. */
  readonly ignoreEnv: boolean;
}

/**
 * Checks rule files as the start of the service would, without starting anything.
 *
 * @throws OperatorError when the files cannot be read, or ACCOUNTS_FILE is wrong.
 */
export async function validateRules(env: NodeJS.ProcessEnv, options: ValidateOptions): Promise<Validation> {
  // No role: what only a running service needs may be missing.
  const settings = readSettings(env, []);
  const files = await readRuleFiles(options.path ?? settings.RULES_PATH);
  const vocabulary = serviceVocabulary(env, readAccounts(settings, env, []).keys());
  const { rules, problems } = compileRuleFiles(
    files,
    options.ignoreEnv ? { ...vocabulary, isEnvSet: () => true } : vocabulary,
  );
  const valid = problems.length === 0;
  if (options.json) {
    const ids = rules.map(({ source }) => source.id);
    return {
      valid,
      output: JSON.stringify({ valid, files: files.map(({ name }) => name), rules: ids, problems }),
    };
  }
  const inFiles = `in ${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  return {
    valid,
    output: valid
      ? `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'} ${inFiles}: all good`
      : [...problems, `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} ${inFiles}`].join(
          '\n',
        ),
  };
}
