import type { z } from 'zod';
import { compileRule } from './compile-rule.js';
import type { Path, Problem, Report, RuleProblem } from './model/problem.js';
import type { Rule } from './model/rule.js';
import { ruleFile } from './model/rule-schema.js';
import type { ChannelSource, RuleSource } from './model/rule-schema.js';
import { member } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';
import { parseChannel } from './parse-channel.js';
import { UNREADABLE_RULE_ID, parseRule } from './parse-rule.js';
import { reportRuleIssues } from './rule-file-issues.js';
import { withoutUnknownKeys } from './unknown-key.js';
import { parseYamlSource } from './yaml/yaml-source.js';

/** A rule file: its name for messages, and its text. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/** The rules and channels of all files, and all problems in them. */
export interface CompiledRules {
  readonly rules: readonly Rule[];
  readonly channels: readonly ChannelSource[];
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
  const withChannels = { ...vocabularyWithChannels(vocabulary, channels), channels };
  for (const { file, value, report, warn, lineOf } of parsed) {
    for (const { rule, place } of rulesIn(value, withChannels, report)) {
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
  readonly report: Report;
  readonly warn: Report;
  /** The problems so far, in file order. */
  readonly problems: () => RuleProblem[];
  readonly warnings: () => RuleProblem[];
  readonly lineOf: (path: Path) => number;
}

function parseFile(file: RuleFile, vocabulary: Vocabulary): ParsedFile {
  const source = parseYamlSource(file.name, file.text);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const report: Report = (problem) => void problems.push(problem);
  const warn: Report = (problem) => void warnings.push(problem);
  const reports = {
    report,
    warn,
    problems: () => [...source.problems, ...source.locate(problems)],
    warnings: () => source.locate(warnings),
    lineOf: source.lineOf,
  };
  if (source.problems.length > 0) return { file, value: undefined, channels: [], ...reports };
  if (member(source.value, 'tests') !== undefined) {
    const message = `this file holds rule tests: run it with "mdm-reflex test ${file.name}"`;
    report({ code: 'rule/not-a-rule-file', path: ['tests'], atKey: true, message });
    return { file, value: undefined, channels: [], ...reports };
  }
  const { value } = withoutUnknownKeys(source.value ?? {}, Object.keys(ruleFile.shape), [], report);
  const parsed = ruleFile.safeParse(value);
  if (!parsed.success) {
    reportRuleIssues(parsed.error.issues, value, [], report);
    return { file, value: undefined, channels: [], ...reports };
  }
  const { rules, channels } = parsed.data;
  if (rules.length === 0 && Object.keys(channels).length === 0 && problems.length === 0) {
    const message = 'this file has no rules: expected "rules:" and a list of rules';
    warn({ code: 'rule/no-rules', path: [], message });
  }
  return {
    file,
    value: parsed.data,
    channels: Object.entries(channels).map(([name, inFile]) =>
      parseChannel(name, inFile, vocabulary, ['channels', name], reports),
    ),
    ...reports,
  };
}

function channelsOf(parsed: readonly ParsedFile[]): ChannelSource[] {
  const firstUses = new Map<string, string>();
  return parsed.flatMap(({ file, channels, report, lineOf }) => {
    for (const { name } of channels) {
      const path = ['channels', name];
      const firstUse = firstUses.get(name);
      const message = `the channel "${name}" is already defined: ${firstUse ?? ''}`;
      if (firstUse !== undefined) report({ code: 'rule/duplicate-id', path, atKey: true, message });
      firstUses.set(name, firstUse ?? `${file.name}:${lineOf(path)}`);
    }
    return channels;
  });
}

function rulesIn(
  value: z.output<typeof ruleFile> | undefined,
  vocabulary: Vocabulary,
  report: Report,
): { rule: RuleSource; place: Path }[] {
  return (value?.rules ?? []).flatMap((inFile, index) => {
    const place = ['rules', index];
    const rule = parseRule(inFile, vocabulary, place, report);
    return rule === undefined ? [] : [{ rule, place }];
  });
}
