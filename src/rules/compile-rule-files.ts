import type { z } from 'zod';
import type { DataFile } from '../config/read-data-files.js';
import { compileRule } from './compile-rule.js';
import type { LookupSource } from './model/lookup.js';
import type { Path, Problem, Report, RuleProblem } from './model/problem.js';
import type { Rule } from './model/rule.js';
import { ruleFile, ruleInFile } from './model/rule-schema.js';
import type { ChannelSource, RuleSource } from './model/rule-schema.js';
import { member } from './model/values.js';
import { LOOKUP } from './model/vocabulary.js';
import type { Vocabulary } from './model/vocabulary.js';
import { parseChannel } from './parse-channel.js';
import { parseLookup } from './parse-lookup.js';
import type { ParsedLookup } from './parse-lookup.js';
import { UNREADABLE_RULE_ID, parseRule } from './parse-rule.js';
import { reportRuleIssues } from './rule-file-issues.js';
import type { TakeText } from './texts-as-written.js';
import { withoutUnknownKeys } from './unknown-key.js';
import { parseYamlSource } from './yaml/yaml-source.js';

/** A rule file: its name for messages, and its text. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
  /** The data files that it names under `lookups:`; left out when none were read. */
  readonly data?: readonly DataFile[];
}

/** The rules, channels and lookups of all files, and all problems in them. */
export interface CompiledRules {
  readonly rules: readonly Rule[];
  readonly channels: readonly ChannelSource[];
  readonly lookups: readonly LookupSource[];
  /** The facts that the rules can name, the lookups included. */
  readonly facts: Vocabulary['facts'];
  readonly problems: readonly RuleProblem[];
  /** What is probably a mistake. The rules are usable nevertheless. */
  readonly warnings: readonly RuleProblem[];
}

/**
 * Compiles rule files, and finds all problems of all files in one run.
 *
 * @returns The rules and channels; they are usable only when there are no problems.
 */
export function compileRuleFiles(files: readonly RuleFile[], vocabulary: Vocabulary): CompiledRules {
  const rules: Rule[] = [];
  const firstUses = new Map<string, string>();
  const parsed = files.map((file) => parseFile(file, vocabulary));
  const channels = channelsOf(parsed);
  const lookups = lookupsOf(parsed);
  const facts = factsWithLookups(vocabulary.facts, lookups);
  const withChannels = { ...vocabularyWithChannels({ ...vocabulary, facts }, channels), channels };
  for (const { file, value, report, warn, lineOf, takeText } of parsed) {
    for (const { rule, place } of rulesIn(value, withChannels, { report, takeText })) {
      const path = [...place, 'id'];
      const firstUse = firstUses.get(rule.id);
      if (firstUse !== undefined) {
        const message = `the rule id "${rule.id}" is already used: ${firstUse}`;
        report({ code: 'rule/duplicate-id', path, message });
      }
      if (rule.id !== UNREADABLE_RULE_ID) firstUses.set(rule.id, firstUse ?? `${file.name}:${lineOf(path)}`);
      rules.push(compileRule(rule, withChannels, place, report, warn));
    }
  }
  return {
    rules,
    channels,
    lookups: lookups.flatMap(({ source }) => source ?? []),
    facts,
    problems: parsed.flatMap(({ problems }) => problems()),
    warnings: parsed.flatMap(({ warnings }) => warnings()),
  };
}

/** A vocabulary whose reference catalogs also have the channels of the rule files. */
export function vocabularyWithChannels(
  vocabulary: Vocabulary,
  channels: readonly Pick<ChannelSource, 'name'>[],
): Vocabulary {
  const channel = channels.map(({ name }) => ({ id: name, name }));
  return { ...vocabulary, catalogs: (account) => ({ ...vocabulary.catalogs?.(account), channel }) };
}

/** A file with parsed channels; its rules are parsed later, when the channels of all files are known. */
interface ParsedFile {
  readonly file: RuleFile;
  readonly value: z.output<typeof ruleFile> | undefined;
  readonly channels: readonly ChannelSource[];
  readonly lookups: readonly ParsedLookup[];
  readonly report: Report;
  readonly warn: Report;
  /** The problems so far, in file order. */
  readonly problems: () => RuleProblem[];
  readonly warnings: () => RuleProblem[];
  readonly lineOf: (path: Path) => number;
  readonly takeText: TakeText;
}

function parseFile(file: RuleFile, vocabulary: Vocabulary): ParsedFile {
  const source = parseYamlSource(file.name, file.text);
  const problems: Problem[] = [];
  // The texts of a file that was not read to its end are not known.
  let usable = false;
  const warnings: Problem[] = [];
  const inDataFiles: RuleProblem[] = [];
  const warningsInDataFiles: RuleProblem[] = [];
  const report: Report = (problem) => void problems.push(problem);
  const warn: Report = (problem) => void warnings.push(problem);
  const reports = {
    report,
    warn,
    problems: () => [
      ...source.problems,
      ...inFileOrder(source.locate(problems), usable ? source.lostForms() : []),
      ...inDataFiles,
    ],
    warnings: () => [...source.locate(warnings), ...warningsInDataFiles],
    lineOf: source.lineOf,
    takeText: source.takeText,
  };
  if (source.problems.length > 0) return { file, value: undefined, channels: [], lookups: [], ...reports };
  if (member(source.value, 'tests') !== undefined) {
    const message = `this file holds rule tests: run it with "mdm-reflex test ${file.name}"`;
    report({ code: 'rule/not-a-rule-file', path: ['tests'], atKey: true, message });
    return { file, value: undefined, channels: [], lookups: [], ...reports };
  }
  const { value } = withoutUnknownKeys(
    source.value ?? {},
    Object.keys(ruleFile.shape),
    [],
    report,
    hintForFile,
  );
  const parsed = ruleFile.safeParse(value);
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, value, [], report);
    return { file, value: undefined, channels: [], lookups: [], ...reports };
  }
  usable = true;
  const { rules, channels, lookups } = parsed.data;
  const isEmpty = [rules, channels, lookups].every((part) => Object.keys(part).length === 0);
  if (isEmpty && problems.length === 0) {
    const message = 'this file has no rules: expected "rules:" and a list of rules';
    warn({ code: 'rule/no-rules', path: [], message });
  }
  return {
    file,
    value: parsed.data,
    channels: Object.entries(channels).map(([name, inFile]) =>
      parseChannel(name, inFile, vocabulary, ['channels', name], reports),
    ),
    lookups: Object.entries(lookups).map(([name, inFile]) =>
      parseLookup(name, inFile, vocabulary, ['lookups', name], file.data, {
        ...reports,
        reportInFile: (problem) => void inDataFiles.push(problem),
        warnInFile: (problem) => void warningsInDataFiles.push(problem),
      }),
    ),
    ...reports,
  };
}

/** A rule, or a workflow of another tool, at the root of a file. */
function hintForFile(key: string): string | undefined {
  const isOfRule =
    Object.hasOwn(ruleInFile.shape, key) || ['name', 'jobs', 'steps', 'triggers'].includes(key);
  return isOfRule
    ? ': rules are a list: write "rules:", and below it each rule, beginning with "- id:"'
    : undefined;
}

/** All problems in the order of the file. A lost form at the place of another problem is not reported as well. */
function inFileOrder(problems: readonly RuleProblem[], lost: readonly RuleProblem[]): RuleProblem[] {
  const placeOf = ({ line = 0, column = 0 }: RuleProblem): number => line * 1_000_000 + column;
  const places = new Set(problems.map(placeOf));
  return [...problems, ...lost.filter((problem) => !places.has(placeOf(problem)))].sort(
    (a, b) => placeOf(a) - placeOf(b),
  );
}

function channelsOf(parsed: readonly ParsedFile[]): ChannelSource[] {
  return definedOnce(parsed, 'channels', ({ channels }) => channels);
}

function lookupsOf(parsed: readonly ParsedFile[]): ParsedLookup[] {
  return definedOnce(parsed, 'lookups', ({ lookups }) => lookups);
}

/** The definitions of all files. Reports a name that two files define. */
function definedOnce<T extends { readonly name: string }>(
  parsed: readonly ParsedFile[],
  key: 'channels' | 'lookups',
  definitionsIn: (file: ParsedFile) => readonly T[],
): T[] {
  const firstUses = new Map<string, string>();
  return parsed.flatMap((parsedFile) => {
    const { file, report, lineOf } = parsedFile;
    for (const { name } of definitionsIn(parsedFile)) {
      const path = [key, name];
      const firstUse = firstUses.get(name);
      const message = `the ${key.slice(0, -1)} "${name}" is already defined: ${firstUse ?? ''}`;
      if (firstUse !== undefined) report({ code: 'rule/duplicate-id', path, atKey: true, message });
      firstUses.set(name, firstUse ?? `${file.name}:${lineOf(path)}`);
    }
    return definitionsIn(parsedFile);
  });
}

/** The facts and, if there are any, the lookups. */
function factsWithLookups(facts: Vocabulary['facts'], lookups: readonly ParsedLookup[]): Vocabulary['facts'] {
  if (lookups.length === 0) return facts;
  const fields = Object.fromEntries(lookups.map(({ name, shape }) => [name, shape]));
  return { ...facts, [LOOKUP]: { fields } };
}

function rulesIn(
  value: z.output<typeof ruleFile> | undefined,
  vocabulary: Vocabulary,
  reports: { readonly report: Report; readonly takeText: TakeText },
): { rule: RuleSource; place: Path }[] {
  return (value?.rules ?? []).flatMap((inFile, index) => {
    const place = ['rules', index];
    const rule = parseRule(inFile, vocabulary, place, reports);
    return rule === undefined ? [] : [{ rule, place }];
  });
}
