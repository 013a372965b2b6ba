import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DEFAULT_ACCOUNT, readAccounts } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { writeProblem } from '../config/write-error-text.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { compileRuleFiles } from '../rules/compile-rule-files.js';
import { loadReferenceCatalog } from '../actions/reference-catalog.js';
import type { CatalogEntry, ReferenceCatalog } from '../rules/model/vocabulary.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorCode } from '../telemetry/error-text.js';

/** Options of `mdm-reflex init`. */
export interface InitOptions {
  readonly account?: string | undefined;
  /** The file to write; undefined: the rules are printed. */
  readonly out?: string | undefined;
}

/**
 * Writes a first rule file from the groups, scripts and enrollments of the account. Its rules change nothing.
 *
 * @throws OperatorError when SimpleMDM cannot be asked, or the file exists already.
 */
export async function initRules(
  env: NodeJS.ProcessEnv,
  { account = DEFAULT_ACCOUNT, out }: InitOptions,
): Promise<string> {
  const settings = readSettings(env, []);
  const found = readAccounts(settings, env, ['worker']).get(account);
  if (found?.apiKey === undefined) {
    const message = `there is no account "${account}" with an API key: set SIMPLEMDM_API_KEY`;
    throw new OperatorError([{ code: 'rule/init-failed', message }]);
  }
  const api = createSimpleMdm({ account, apiKey: found.apiKey, baseUrl: found.baseUrl });
  const usedIds = await idsIn(settings.RULES_PATH, env);
  const text = await textFor(api, { usedIds, folder: out === undefined ? '.' : dirname(out) }).catch(
    (error: unknown) => {
      if (error instanceof SimpleMdmError)
        throw new OperatorError([{ code: 'rule/init-failed', message: error.message }]);
      throw error;
    },
  );
  if (out === undefined) return text.trimEnd();
  try {
    await writeFile(out, text, { flag: 'wx' });
  } catch (error) {
    const why = errorCode(error) === 'EEXIST' ? 'the file exists already' : writeProblem(error);
    const message = `--out ${out}: ${why}; name another file, or leave --out out to print the rules`;
    throw new OperatorError([{ code: 'rule/init-failed', message }]);
  }
  return `written: ${out}; review the file, then run "mdm-reflex validate ${out}"`;
}

/** The ids of the existing rules. The service does not start with two rules of one id. */
async function idsIn(path: string, env: NodeJS.ProcessEnv): Promise<Set<string>> {
  if (!existsSync(path)) return new Set();
  // Problems in those files do not matter here.
  const { rules } = compileRuleFiles(await readRuleFiles(path), serviceVocabulary(env, []));
  return new Set(rules.map(({ source }) => source.id));
}

/** What the new file must fit in with. */
interface Surroundings {
  /** The ids of the existing rules. */
  readonly usedIds: ReadonlySet<string>;
  /** The folder of the new file. */
  readonly folder: string;
}

async function textFor(api: ReturnType<typeof createSimpleMdm>, surroundings: Surroundings): Promise<string> {
  const { attributes } = await api.account.show();
  return firstRules(
    attributes.name ?? 'SimpleMDM',
    await loadReferenceCatalog(createCachedLists(api)),
    surroundings,
  );
}

/** The id itself, or the id with a number when it is used already. */
function unusedId(id: string, usedIds: ReadonlySet<string>): string {
  let unused = id;
  for (let count = 2; usedIds.has(unused); count += 1) unused = `${id}-${count}`;
  return unused;
}

/** A rule file for an account. Rules that would change or send something are dry runs. */
function firstRules(
  accountName: string,
  catalog: ReferenceCatalog,
  { usedIds, folder }: Surroundings,
): string {
  const id = (wanted: string): string => unusedId(wanted, usedIds);
  const groups = catalog['device group'] ?? [];
  const scripts = catalog.script ?? [];
  const enrollments = catalog.enrollment ?? [];
  const [group] = groups;
  const [script] = scripts;
  // The purpose of an enrollment without a name is unknown.
  const enrollment = enrollments.find(({ name }) => name !== undefined);
  return [
    `# yaml-language-server: $schema=${fromFolder(folder, 'rules.schema.json')}`,
    '# (Create the schema with "mdm-reflex schema > rules.schema.json": editors then complete and check this file.)',
    `# First rules for ${comment(accountName)}. See docs/rules.md, docs/actions.md and docs/guides/alerts.md.`,
    '# Rules with "mode: dry_run" decide and show what they would do, and send nothing. Remove the mode when a rule is right.',
    '#',
    ...listed('device groups', groups),
    ...listed('scripts', scripts),
    ...listed('enrollments', enrollments),
    '',
    '# channels:',
    '#   it-chat: { type: slack, url: "${env:SLACK_URL}" }',
    '',
    'rules:',
    `  - id: ${id('note-every-event')}`,
    '    description: Log every event',
    "    on: '*'",
    '    do:',
    "      - log: 'received {{ event.type }}'",
    ...(group === undefined
      ? []
      : [
          '',
          `  - id: ${id('group-new-macs')}`,
          '    description: Put new Macs in their group',
          '    mode: dry_run',
          '    on: device.enrolled',
          '    if: device.platform == "macOS"',
          '    do:',
          `      - assign_device_group: { group: ${reference(group, groups)} }`,
        ]),
    ...(script === undefined
      ? []
      : [
          '',
          `  - id: ${id('welcome-script')}`,
          '    description: Run a script on new Macs',
          '    mode: dry_run',
          '    on: device.enrolled',
          '    if: device.platform == "macOS"',
          '    do:',
          `      - run_script: { script: ${reference(script, scripts)}, wait: 15m }`,
        ]),
    ...(enrollment === undefined
      ? []
      : [
          '',
          `  - id: ${id('invite-new-hardware')}`,
          '    description: Invite hardware that is new in Apple Business Manager',
          '    mode: dry_run',
          '    on: abm.device.added',
          '    do:',
          `      - send_invitation: { enrollment: ${reference(enrollment, enrollments)}, contact: it@example.org }`,
        ]),
    '',
    `  - id: ${id('not-seen-for-two-weeks')}`,
    '    description: Log devices that have not been seen for two weeks',
    '    mode: dry_run',
    '    on: { schedule: "0 8 * * 1", timezone: UTC, for_each: devices }',
    '    if: age(device.last_seen_at) > duration("336h")',
    '    do:',
    "      - log: '{{ device.name }} was last seen at {{ device.last_seen_at }}'",
    '',
  ].join('\n');
}

const MAX_LISTED = 50;

function listed(kind: string, entries: readonly CatalogEntry[]): string[] {
  if (entries.length === 0) return [`# There are no ${kind}.`];
  const lines = entries
    .slice(0, MAX_LISTED)
    .map(({ id, name }) => `#   ${name === undefined ? `${id} (no name)` : `${comment(name)} (${id})`}`);
  const more = entries.length - lines.length;
  return [`# Your ${kind}:`, ...lines, ...(more > 0 ? [`#   and ${more} more`] : [])];
}

/** A name in quotes; the id when the name is missing or not unique. */
function reference({ id, name }: CatalogEntry, all: readonly CatalogEntry[]): string {
  if (name === undefined) return String(id);
  return all.filter((other) => other.name === name).length > 1 ? String(id) : JSON.stringify(name);
}

/** The path of a file in the working folder, relative to another folder. */
function fromFolder(folder: string, file: string): string {
  const path = relative(folder, join(process.cwd(), file));
  return path.startsWith('.') ? path : `./${path}`;
}

/** Keeps a name on the line of its comment. */
function comment(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
