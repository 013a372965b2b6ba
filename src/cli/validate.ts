import { loadReferenceCatalogs } from '../actions/reference-catalog.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/rule-file.js';
import type { ReferenceCatalog } from '../rules/model/vocabulary.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createDirectory } from '../simplemdm/directory.js';
import type { Directory } from '../simplemdm/directory.js';
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
  /** Whether warnings count as problems. */
  readonly strict: boolean;
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
  const path = options.path ?? settings.RULES_PATH;
  const files = await readRuleFiles(path);
  const known = serviceVocabulary(env, readAccounts(settings, env, []).keys());
  const looked = options.offline ? { reason: 'as asked (--offline)' } : await lookUpReferents(env, settings);
  const compiled = compileRuleFiles(files, {
    ...known,
    ...(options.ignoreEnv && { isEnvSet: () => true }),
    ...('referents' in looked && { catalogs: looked.referents }),
  });
  const doubts = [
    ...compiled.warnings,
    ...(files.length === 0 ? [`${path}: there is no .yaml file in it`] : []),
  ];
  const problems = options.strict ? [...compiled.problems, ...doubts] : compiled.problems;
  const warnings = options.strict ? [] : doubts;
  const valid = problems.length === 0;
  if (options.json) {
    const output = JSON.stringify({
      valid,
      files: files.map(({ name }) => name),
      rules: compiled.rules.map(({ source }) => source.id),
      problems,
      warnings,
      references: 'referents' in looked ? 'checked' : `not checked: ${looked.reason}`,
    });
    return { valid, output };
  }
  const inFiles = `in ${counted(files.length, 'file')}`;
  const notLooked = 'reason' in looked ? notChecked(looked.reason) : [];
  const good = warnings.length === 0 && notLooked.length === 0 ? ': all good' : ': no problems';
  const last = valid
    ? `${counted(compiled.rules.length, 'rule')} ${inFiles}${good}${warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`}`
    : `${counted(problems.length, 'problem')} ${inFiles}`;
  const lines = [...bounded(problems), ...warnings.map((warning) => `warning: ${warning}`), last];
  return { valid, output: [...lines, ...(valid ? notLooked : [])].join('\n') };
}

const counted = (count: number, what: string): string => `${count} ${count === 1 ? what : `${what}s`}`;

function notChecked(reason: string): string[] {
  return [
    `not checked: whether the groups, scripts, attributes and so on that the rules name are there: ${reason}`,
  ];
}

/** More than this of one file is not read anyway: it is no rule file then. */
const MOST_PER_FILE = 20;

function bounded(problems: readonly string[]): string[] {
  return [...new Set(problems.map(fileOf))].flatMap((file) => {
    const found = problems.filter((problem) => fileOf(problem) === file);
    const more = found.length - MOST_PER_FILE;
    return more <= 0 ? found : [...found.slice(0, MOST_PER_FILE), `${file}: and ${more} more`];
  });
}

const fileOf = (problem: string): string => /^.*?(?=:\d+:\d+: )/.exec(problem)?.[0] ?? '';

/** What the accounts have that rules can refer to, or why that is not known: rules can be checked without an API key as well. */
async function lookUpReferents(
  env: NodeJS.ProcessEnv,
  settings: Settings,
): Promise<{ referents: (account: string) => ReferenceCatalog } | { reason: string }> {
  try {
    const accounts = [...readAccounts(settings, env, ['worker']).values()];
    const directories = accounts.map(({ name, apiKey, baseUrl }): [string, Directory] => {
      if (apiKey === undefined) throw new OperatorError(['SIMPLEMDM_API_KEY is not set']);
      const api = createSimpleMdm({ account: name, apiKey, baseUrl, timeoutMs: LOOKUP_TIMEOUT_MS });
      return [name, createDirectory(api)];
    });
    return { referents: await loadReferenceCatalogs(directories) };
  } catch (error) {
    if (error instanceof OperatorError) return { reason: error.lines.join('; ') };
    if (error instanceof SimpleMdmError) return { reason: error.message };
    throw error;
  }
}
