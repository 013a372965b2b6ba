import { loadReferenceCatalogs } from '../actions/reference-catalog.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { readAccounts } from '../config/accounts.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { compileRuleFiles } from '../rules/compile-rule-files.js';
import { problemOfFile, withoutText } from '../rules/model/problem.js';
import type { RuleProblem } from '../rules/model/problem.js';
import type { ReferenceCatalog } from '../rules/model/vocabulary.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import { SimpleMdmError } from '../simplemdm/errors.js';

/** A person waits for the command, so an API that does not respond delays it only this long. */
const LOOKUP_TIMEOUT_MS = 10_000;

/** The result of a check of rule files. */
export interface Validation {
  readonly valid: boolean;
  /** The text to print: for people, or JSON. */
  readonly output: string;
}

/** Options of `mdm-reflex validate`. */
export interface ValidateOptions {
  /** A file or a folder; `RULES_PATH` when left out. */
  readonly path?: string | undefined;
  readonly json: boolean;
  /** Whether warnings count as problems. */
  readonly strict: boolean;
  /** Whether to skip the check of references, which asks SimpleMDM. */
  readonly offline: boolean;
  /** Whether `${env:NAME}` may name variables that are not set here, as on a CI machine. */
  readonly ignoreEnv: boolean;
}

/**
 * Checks rule files as the service does when it starts, without starting anything.
 *
 * @throws OperatorError when the files cannot be read, or the settings are invalid.
 */
export async function validateRules(env: NodeJS.ProcessEnv, options: ValidateOptions): Promise<Validation> {
  // No role: the settings that only a running service needs may be missing.
  const settings = readSettings(env, []);
  const path = options.path ?? settings.RULES_PATH;
  const files = await readRuleFiles(path);
  const vocabulary = serviceVocabulary(env, readAccounts(settings, env, []).keys());
  const references = options.offline
    ? { unchecked: '--offline was given' }
    : await lookUpReferences(env, settings);
  const compiled = compileRuleFiles(files, {
    ...vocabulary,
    ...(options.ignoreEnv && { isEnvSet: () => true }),
    ...('catalogs' in references && { catalogs: references.catalogs }),
  });
  const found = files.length === 0 ? [...compiled.warnings, noFilesIn(path)] : compiled.warnings;
  const problems = options.strict ? [...compiled.problems, ...found] : compiled.problems;
  const warnings = options.strict ? [] : found;
  const valid = problems.length === 0;
  if (options.json) {
    const output = JSON.stringify({
      valid,
      files: files.map(({ name }) => name),
      rules: compiled.rules.map(({ source }) => source.id),
      problems: problems.map(withoutText),
      warnings: warnings.map(withoutText),
      references: 'catalogs' in references ? 'checked' : `not checked: ${references.unchecked}`,
    });
    return { valid, output };
  }
  const inFiles = `in ${counted(files.length, 'file')}`;
  const notChecked =
    'unchecked' in references
      ? [
          `not checked: whether the groups, scripts and other objects that the rules name exist: ${references.unchecked}`,
        ]
      : [];
  const result = warnings.length === 0 && notChecked.length === 0 ? ': all good' : ': no problems';
  const summary = valid
    ? `${counted(compiled.rules.length, 'rule')} ${inFiles}${result}${warnings.length === 0 ? '' : `, ${counted(warnings.length, 'warning')}`}`
    : `${counted(problems.length, 'problem')} ${inFiles}`;
  const lines = [...problemLines(problems), ...warnings.map(({ text }) => `warning: ${text}`), summary];
  return { valid, output: [...lines, ...(valid ? notChecked : [])].join('\n') };
}

const counted = (count: number, what: string): string => `${count} ${count === 1 ? what : `${what}s`}`;

const noFilesIn = (path: string): RuleProblem =>
  problemOfFile({ code: 'rule/no-rules', message: 'there is no .yaml file in this folder' }, path);

/** A file with more problems is probably not a rule file at all. */
const MAX_PROBLEMS_PER_FILE = 20;

function problemLines(problems: readonly RuleProblem[]): string[] {
  return [...new Set(problems.map(({ file }) => file))].flatMap((file) => {
    const texts = problems.filter((problem) => problem.file === file).map(({ text }) => text);
    const more = texts.length - MAX_PROBLEMS_PER_FILE;
    return more <= 0 ? texts : [...texts.slice(0, MAX_PROBLEMS_PER_FILE), `${file ?? ''}: and ${more} more`];
  });
}

class MissingApiKey extends Error {
  override readonly name = 'MissingApiKey';
}

/** The reference catalogs of the accounts, or why they are not available: rules can be checked without an API key as well. */
async function lookUpReferences(
  env: NodeJS.ProcessEnv,
  settings: Settings,
): Promise<{ catalogs: (account: string) => ReferenceCatalog } | { unchecked: string }> {
  try {
    const accounts = [...readAccounts(settings, env, ['worker']).values()];
    const lists = accounts.map(({ name, apiKey, baseUrl }): [string, CachedLists] => {
      if (apiKey === undefined) throw new MissingApiKey('SIMPLEMDM_API_KEY is not set');
      const api = createSimpleMdm({ account: name, apiKey, baseUrl, timeoutMs: LOOKUP_TIMEOUT_MS });
      return [name, createCachedLists(api)];
    });
    return { catalogs: await loadReferenceCatalogs(lists) };
  } catch (error) {
    if (error instanceof OperatorError) return { unchecked: error.lines.join('; ') };
    if (error instanceof MissingApiKey || error instanceof SimpleMdmError)
      return { unchecked: error.message };
    throw error;
  }
}
