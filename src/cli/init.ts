import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DEFAULT_ACCOUNT, readAccounts } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { writeProblem } from '../config/write-problem.js';
import { readRuleFiles } from '../config/read-rule-files.js';
import { readSettings } from '../config/settings.js';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { compileRuleFiles } from '../rules/rule-file.js';
import { loadReferenceCatalog } from '../actions/reference-catalog.js';
import type { CatalogEntry, ReferenceCatalog } from '../rules/model/vocabulary.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createDirectory } from '../simplemdm/directory.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorCode } from '../telemetry/error-text.js';

/** `mdm-reflex init`, as the command line has it. */
export interface InitOptions {
  readonly account?: string | undefined;
  /** Where the file is written; undefined: it is printed. */
  readonly out?: string | undefined;
}

/**
 * Writes a first rule file from what the account really has: its groups, scripts and enrollments, in rules that change nothing until
 * somebody lets them.
 *
 * @throws OperatorError when SimpleMDM cannot be asked, or the file is there already.
 */
export async function initRules(
  env: NodeJS.ProcessEnv,
  { account = DEFAULT_ACCOUNT, out }: InitOptions,
): Promise<string> {
  const settings = readSettings(env, []);
  const found = readAccounts(settings, env, ['worker']).get(account);
  if (found?.apiKey === undefined) {
    throw new OperatorError([`there is no account "${account}" with an API key: set SIMPLEMDM_API_KEY`]);
  }
  const api = createSimpleMdm({ account, apiKey: found.apiKey, baseUrl: found.baseUrl });
  const used = await idsIn(settings.RULES_PATH, env);
  const text = await textFor(api, { used, folder: out === undefined ? '.' : dirname(out) }).catch(
    (error: unknown) => {
      if (error instanceof SimpleMdmError) throw new OperatorError([error.message]);
      throw error;
    },
  );
  if (out === undefined) return text.trimEnd();
  try {
    await writeFile(out, text, { flag: 'wx' });
  } catch (error) {
    const why = errorCode(error) === 'EEXIST' ? 'it is there already' : writeProblem(error);
    throw new OperatorError([`--out ${out}: ${why}; name another file, or leave --out away to see the text`]);
  }
  return `written: ${out}; look through it, then "mdm-reflex validate ${out}"`;
}

/** The ids of rules that there are already: two of one id stop the service. */
async function idsIn(path: string, env: NodeJS.ProcessEnv): Promise<Set<string>> {
  if (!existsSync(path)) return new Set();
  // What is wrong with those files is not the business of this command.
  const { rules } = compileRuleFiles(await readRuleFiles(path), serviceVocabulary(env, []));
  return new Set(rules.map(({ source }) => source.id));
}

/** What the new file has to fit in with. */
interface Surroundings {
  /** The ids of rules that are taken. */
  readonly used: ReadonlySet<string>;
  /** The folder that the file will be in. */
  readonly folder: string;
}

async function textFor(api: ReturnType<typeof createSimpleMdm>, surroundings: Surroundings): Promise<string> {
  const { attributes } = await api.account.show();
  return firstRules(attributes.name, await loadReferenceCatalog(createDirectory(api)), surroundings);
}

/** An id that is not taken. */
function freeId(id: string, used: ReadonlySet<string>): string {
  let free = id;
  for (let count = 2; used.has(free); count += 1) free = `${id}-${count}`;
  return free;
}

/** A rule file for an account. Every rule in it is a dry run. */
function firstRules(
  accountName: string,
  referents: ReferenceCatalog,
  { used, folder }: Surroundings = { used: new Set(), folder: '.' },
): string {
  const id = (wanted: string): string => freeId(wanted, used);
  const groups = referents['device group'] ?? [];
  const scripts = referents.script ?? [];
  const enrollments = referents.enrollment ?? [];
  const [group] = groups;
  const [script] = scripts;
  // What nobody named may be anything.
  const enrollment = enrollments.find(({ name }) => name !== undefined);
  return [
    `# yaml-language-server: $schema=${fromFolder(folder, 'rules.schema.json')}`,
    '# ("mdm-reflex schema > rules.schema.json" puts it there: editors then complete and check.)',
    `# First rules for ${comment(accountName)}. How rules are written: docs/rules.md, docs/actions.md, docs/alerts.md.`,
    '# Each one is a dry run: it decides and shows what it would do, and sends nothing. Take "mode: dry_run" away when it is right.',
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
    '    description: Write a line for each event',
    "    on: '*'",
    '    do:',
    "      - log: '{{ event.type }} came in'",
    ...(group === undefined
      ? []
      : [
          '',
          `  - id: ${id('group-new-macs')}`,
          '    description: New Macs join their group',
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
          '    description: New Macs run a script',
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
          '    description: What is new in Apple Business Manager is invited',
          '    mode: dry_run',
          '    on: abm.device.added',
          '    do:',
          `      - send_invitation: { enrollment: ${reference(enrollment, enrollments)}, contact: it@example.org }`,
        ]),
    '',
    `  - id: ${id('not-seen-for-two-weeks')}`,
    '    description: Devices that have not been seen for two weeks',
    '    mode: dry_run',
    '    on: { schedule: "0 8 * * 1", timezone: UTC, for_each: devices }',
    '    if: age(device.last_seen_at) > duration("336h")',
    '    do:',
    "      - log: '{{ device.name }} was seen last at {{ device.last_seen_at }}'",
    '',
  ].join('\n');
}

const MOST_LISTED = 50;

function listed(kind: string, referents: readonly CatalogEntry[]): string[] {
  if (referents.length === 0) return [`# There are no ${kind}.`];
  const lines = referents
    .slice(0, MOST_LISTED)
    .map(
      ({ id, name }) => `#   ${name === undefined ? `${id}, which has no name` : `${comment(name)} (${id})`}`,
    );
  const more = referents.length - lines.length;
  return [`# Your ${kind}:`, ...lines, ...(more > 0 ? [`#   and ${more} more`] : [])];
}

/** A name in quotes; the id where the name is not the only one or there is none. */
function reference({ id, name }: CatalogEntry, all: readonly CatalogEntry[]): string {
  if (name === undefined) return String(id);
  return all.filter((other) => other.name === name).length > 1 ? String(id) : JSON.stringify(name);
}

/** Where a file of the working folder is, seen from another folder. */
function fromFolder(folder: string, file: string): string {
  const path = relative(folder, join(process.cwd(), file));
  return path.startsWith('.') ? path : `./${path}`;
}

/** What an account is named must stay within its line. */
function comment(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
