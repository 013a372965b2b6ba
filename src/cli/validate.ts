import { referentsOf } from '../actions/referents.js';
import { serviceVocabulary } from '../actions/vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/rule-file.js';
import type { Referents } from '../rules/vocabulary.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createDirectory } from '../simplemdm/directory.js';
import { SimpleMdmError } from '../simplemdm/errors.js';

/** A command does not wait long for an API that does not answer. */
const LOOKUP_TIMEOUT_MS = 10_000;

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
  /** Whether SimpleMDM is not asked for what the rules refer to. */
  readonly offline: boolean;
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
  const known = serviceVocabulary(env, readAccounts(settings, env, []).keys());
  const looked = options.offline ? { reason: 'as asked (--offline)' } : await lookUpReferents(env, settings);
  const { rules, problems } = compileRuleFiles(files, {
    ...known,
    ...(options.ignoreEnv && { isEnvSet: () => true }),
    ...('referents' in looked && { referents: looked.referents }),
  });
  const valid = problems.length === 0;
  if (options.json) {
    const ids = rules.map(({ source }) => source.id);
    return {
      valid,
      output: JSON.stringify({
        valid,
        files: files.map(({ name }) => name),
        rules: ids,
        problems,
        references: 'referents' in looked ? 'checked' : `not checked: ${looked.reason}`,
      }),
    };
  }
  const inFiles = `in ${files.length} ${files.length === 1 ? 'file' : 'files'}`;
  return {
    valid,
    output: valid
      ? `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'} ${inFiles}: all good${'reason' in looked ? ` (whether the groups, scripts and so on that they name are there was not looked up: ${looked.reason})` : ''}`
      : [...problems, `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} ${inFiles}`].join(
          '\n',
        ),
  };
}

/** What the accounts have that rules can refer to, or why that is not known: rules can be checked without an API key as well. */
async function lookUpReferents(
  env: NodeJS.ProcessEnv,
  settings: Settings,
): Promise<{ referents: (account: string) => Referents } | { reason: string }> {
  try {
    const accounts = [...readAccounts(settings, env, ['worker']).values()];
    const found = await Promise.all(
      accounts.map(async ({ name, apiKey, baseUrl }): Promise<[string, Referents]> => {
        if (apiKey === undefined) throw new OperatorError(['SIMPLEMDM_API_KEY is not set']);
        const api = createSimpleMdm({ account: name, apiKey, baseUrl, timeoutMs: LOOKUP_TIMEOUT_MS });
        return [name, await referentsOf(createDirectory(api))];
      }),
    );
    const byAccount = new Map(found);
    return { referents: (account) => byAccount.get(account) ?? {} };
  } catch (error) {
    if (error instanceof OperatorError) return { reason: error.lines.join('; ') };
    if (error instanceof SimpleMdmError) return { reason: error.message };
    throw error;
  }
}
