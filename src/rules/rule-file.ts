import type { z } from 'zod';
import { didYouMean } from '../config/nearest-name.js';
import { didYouMeanName, resolveAlias } from './aliases.js';
import type { Path, Problem, Report } from './model/problem.js';
import { checkAgainst, checkEnvReferences, fieldsOfSchema, forEachText, reportIssues } from './checks.js';
import { compileRule } from './model/rule.js';
import type { Rule } from './model/rule.js';
import {
  channelInFile,
  channelName,
  ruleFile,
  ruleInFile,
  schedule,
  stepInFile,
} from './model/rule-schema.js';
import type { ChannelSource, RuleSource, StepSource } from './model/rule-schema.js';
import { stepFrom } from './model/step-source.js';
import { scheduleType } from './model/event-pattern.js';
import { member } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';
import { parseYamlSource } from './yaml/yaml-source.js';

/** A rule file: its name for messages, and its text. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/** The rules and channels of all files, and everything that is wrong with them, each problem with its place. */
export interface CompiledRules {
  readonly rules: readonly Rule[];
  readonly channels: readonly ChannelSource[];
  readonly problems: readonly string[];
  /** What is only probably wrong: the rules can be used nevertheless. */
  readonly warnings: readonly string[];
}

/**
 * Compiles rule files. All problems of all files are found at once.
 *
 * @returns What compiled; it is only to be used when there are no problems.
 */
export function compileRuleFiles(files: readonly RuleFile[], vocabulary: Vocabulary): CompiledRules {
  const rules: Rule[] = [];
  const firstUse = new Map<string, string>();
  const read = files.map((file) => readFile(file, vocabulary));
  const channels = channelsOf(read);
  const withChannels = vocabularyWithChannels(vocabulary, channels);
  for (const { file, value, report, warn, lineOf } of read) {
    for (const { rule, place } of rulesIn(value, withChannels, report)) {
      const path = [...place, 'id'];
      const earlier = firstUse.get(rule.id);
      if (earlier !== undefined)
        report({ path, message: `the rule id "${rule.id}" is already used: ${earlier}` });
      if (rule.id !== STANDING_IN.id) firstUse.set(rule.id, earlier ?? `${file.name}:${lineOf(path)}`);
      rules.push(compileRule(rule, withChannels, place, report, warn));
    }
  }
  return {
    rules,
    channels,
    problems: read.flatMap(({ problems }) => problems()),
    warnings: read.flatMap(({ warnings }) => warnings()),
  };
}

/** A vocabulary in which rules can refer to channels, which no account has to be asked for. */
export function vocabularyWithChannels(
  vocabulary: Vocabulary,
  channels: readonly Pick<ChannelSource, 'name'>[],
): Vocabulary {
  const channel = channels.map(({ name }) => ({ id: name, name }));
  return { ...vocabulary, catalogs: (account) => ({ ...vocabulary.catalogs?.(account), channel }) };
}

/** A file that has been read: its channels in our form, the rest as it stands there. */
interface ReadFile {
  readonly file: RuleFile;
  readonly value: z.output<typeof ruleFile> | undefined;
  readonly channels: readonly ChannelSource[];
  readonly report: Report;
  /** Told of what is only probably wrong. */
  readonly warn: Report;
  /** In words, in the order of the file. */
  readonly problems: () => string[];
  readonly warnings: () => string[];
  readonly lineOf: (path: Path) => number;
}

function readFile(file: RuleFile, vocabulary: Vocabulary): ReadFile {
  const source = parseYamlSource(file.name, file.text);
  const found: Problem[] = [];
  const doubts: Problem[] = [];
  const report: Report = (problem) => void found.push(problem);
  const warn: Report = (problem) => void doubts.push(problem);
  const told = {
    report,
    warn,
    problems: () => [...source.problems, ...source.describe(found)],
    warnings: () => source.describe(doubts),
    lineOf: source.lineOf,
  };
  if (source.problems.length > 0) return { file, value: undefined, channels: [], ...told };
  if (member(source.value, 'tests') !== undefined) {
    const message = `this is a file of tests: "mdm-reflex test ${file.name}" runs it`;
    report({ path: ['tests'], atKey: true, message });
    return { file, value: undefined, channels: [], ...told };
  }
  const { value } = withoutUnknownKeys(source.value ?? {}, Object.keys(ruleFile.shape), [], report);
  const parsed = ruleFile.safeParse(value);
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, value, [], report);
    return { file, value: undefined, channels: [], ...told };
  }
  if (
    parsed.data.rules.length === 0 &&
    Object.keys(parsed.data.channels).length === 0 &&
    found.length === 0
  ) {
    // An empty file is no mistake by itself; that nothing happens may come as a surprise.
    warn({ path: [], message: 'there are no rules in this file: expected "rules:" and a list of rules' });
  }
  const channels = Object.entries(parsed.data.channels).flatMap(
    ([name, inFile]) => channelFrom(name, inFile, vocabulary, ['channels', name], told) ?? [],
  );
  return { file, value: parsed.data, channels, ...told };
}

function channelsOf(read: readonly ReadFile[]): ChannelSource[] {
  const firstUse = new Map<string, string>();
  return read.flatMap(({ file, channels, report, lineOf }) => {
    for (const { name } of channels) {
      const path = ['channels', name];
      const earlier = firstUse.get(name);
      const message = `the channel "${name}" is already described: ${earlier ?? ''}`;
      if (earlier !== undefined) report({ path, atKey: true, message });
      firstUse.set(name, earlier ?? `${file.name}:${lineOf(path)}`);
    }
    return channels;
  });
}

function channelFrom(
  name: string,
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  told: Pick<ReadFile, 'report' | 'warn'>,
): ChannelSource | undefined {
  const { report } = told;
  const named = channelName.safeParse(name);
  if (!named.success) {
    report({ path: place, atKey: true, message: named.error.issues[0]?.message ?? 'expected another name' });
  }
  const parsed = channelInFile.safeParse(inFile);
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, inFile, place, report);
    // What refers to it is right nevertheless.
    return { name, type: '', settings: {} };
  }
  const { type, ...settings } = parsed.data;
  const types = vocabulary.channelTypes;
  const known = Object.hasOwn(types, type) ? types[type] : undefined;
  if (known === undefined) {
    const all = Object.keys(types);
    const message = `there is no type of channel "${type}"${didYouMean(type, all)} (known are ${all.join(', ')})`;
    report({ path: [...place, 'type'], message });
    return { name, type, settings };
  }
  checkAgainst(known.settings, settings, fieldsOfSchema(known.settings), { place, what: 'setting', report });
  forEachText(settings, place, (text, path) => checkEnvReferences(text, vocabulary, path, told));
  return { name, type, settings };
}

function rulesIn(
  value: z.output<typeof ruleFile> | undefined,
  vocabulary: Vocabulary,
  report: Report,
): { rule: RuleSource; place: Path }[] {
  return (value?.rules ?? []).flatMap((inFile, index) => {
    const place = ['rules', index];
    const rule = ruleFrom(inFile, vocabulary, place, report);
    return rule === undefined ? [] : [{ rule, place }];
  });
}

function ruleFrom(
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  report: Report,
): RuleSource | undefined {
  const { value, meant } = withoutUnknownKeys(inFile, Object.keys(ruleInFile.shape), place, report);
  const data = parsedRule(value, meant, place, report);
  if (data === undefined) return undefined;
  // A step that cannot be read is reported; the others are still looked into. The rule is not used then anyway.
  const steps = data.do.map(
    (step, index) => stepFrom(step, vocabulary, [...place, 'do', index], report) ?? UNREADABLE,
  );
  const { on_own_actions: onOwnActions, limit, on, ...rule } = data;
  return {
    ...rule,
    ...when(rule.id, on),
    onOwnActions,
    ...(limit && { limit: { runs: limit.runs, perMs: limit.per } }),
    do: steps,
  };
}

type RuleInFile = z.output<typeof ruleInFile>;

/** A rule by the clock listens for the events that the clock makes for it. */
function when(id: string, on: RuleInFile['on']): Pick<RuleSource, 'on' | 'schedule'> {
  if (Array.isArray(on)) return { on };
  const { schedule: cron, timezone, for_each: forEach } = on;
  return { on: [scheduleType(id)], schedule: { cron, timezone, ...(forEach && { forEach }) } };
}

/** A rule as the file has it. What is wrong is reported, and left out to see what else is. */
function parsedRule(
  inFile: unknown,
  meant: ReadonlySet<string>,
  place: Path,
  report: Report,
): RuleInFile | undefined {
  const parsed = ruleInFile.safeParse(inFile);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .flatMap((issue) => scheduleIssues(issue, inFile) ?? [issue])
    // What has another name is not missing as well.
    .filter(({ path: [key] }) => !meant.has(String(key)));
  reportRuleIssues(issues, inFile, place, report);
  if (typeof inFile !== 'object' || inFile === null) return undefined;
  const wrong = new Set(parsed.error.issues.map(({ path }) => path[0]));
  const right = Object.fromEntries(Object.entries(inFile).filter(([key]) => key !== 'do' && !wrong.has(key)));
  const steps: unknown = Object.getOwnPropertyDescriptor(inFile, 'do')?.value;
  return ruleInFile.safeParse({
    ...STANDING_IN,
    ...right,
    do: readable(steps),
    ...(wrong.has('allow') && { allow: ['destructive'] }),
  }).data;
}

/** What is wrong with a schedule is told of the schedule, not of everything else that could stand there. */
function scheduleIssues(
  { path, code }: z.core.$ZodIssue,
  inFile: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  if (code !== 'invalid_union' || path[0] !== 'on') return undefined;
  const on: unknown = member(inFile, 'on');
  if (typeof on !== 'object' || on === null || Array.isArray(on)) return undefined;
  return schedule.safeParse(on).error?.issues.map((issue) => ({ ...issue, path: ['on', ...issue.path] }));
}

const STANDING_IN = { id: 'unreadable', on: '*' };

/** The steps, their own keys left out where they are wrong. */
function readable(steps: unknown): unknown[] {
  const all: unknown[] = Array.isArray(steps) && steps.length > 0 ? steps : [UNREADABLE_IN_FILE];
  return all.map((step): unknown => {
    const parsed = stepInFile.safeParse(step);
    if (parsed.success) return step;
    if (typeof step !== 'object' || step === null) return UNREADABLE_IN_FILE;
    const wrong = new Set(parsed.error.issues.map(({ path }) => path[0]));
    return Object.fromEntries(Object.entries(step).filter(([key]) => !wrong.has(key)));
  });
}

/** Keeps the places of the steps behind it right. */
const UNREADABLE: StepSource = { action: 'log', args: { message: '' }, onError: 'stop' };
const UNREADABLE_IN_FILE = { log: { message: '' } };

/**
 * Reports the keys that nothing is called, and leaves them out, so that they do not hide what else is wrong.
 *
 * @returns What is left, and the keys that were probably meant.
 */
function withoutUnknownKeys(
  value: unknown,
  known: readonly string[],
  place: Path,
  report: Report,
): { value: unknown; meant: ReadonlySet<string> } {
  const meant = new Set<string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value, meant };
  // What is there already was not meant.
  const free = known.filter((name) => !Object.hasOwn(value, name));
  const entries = Object.entries(value).filter(([key]) => {
    if (known.includes(key)) return true;
    report({
      path: [...place, key],
      atKey: true,
      message: `unknown key "${key}"${didYouMeanName(key, known, free)}`,
    });
    meant.add(resolveAlias(key, known, free) ?? '');
    return false;
  });
  return { value: Object.fromEntries(entries), meant };
}

const KEYS_WITHIN: Readonly<Record<string, readonly string[]>> = {
  on: Object.keys(schedule.shape),
  limit: ['runs', 'per'],
  concurrency: ['key', 'mode'],
};

function reportRuleIssues(
  issues: readonly z.core.$ZodIssue[],
  values: unknown,
  place: Path,
  report: Report,
): void {
  reportIssues(issues, values, (path) => KEYS_WITHIN[String(path.at(-1))] ?? [], {
    place,
    what: 'key',
    report,
    nameOf: (path) => {
      const name = path.at(-1);
      return typeof name === 'string' ? name : '';
    },
  });
}
