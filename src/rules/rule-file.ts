import { didYouMean } from '../config/nearest-name.js';
import type { Path, Problem, Report } from './problem.js';
import { compileRule } from './rule.js';
import type { Rule } from './rule.js';
import { STEP_KEYS, ruleFile, ruleInFile } from './rule-schema.js';
import type { RuleSource, StepSource } from './rule-schema.js';
import type { Vocabulary } from './vocabulary.js';
import { parseYamlSource } from './yaml-source.js';

/** A rule file: its name for messages, and its text. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/** The rules of all files, and everything that is wrong with them, each problem with its place. */
export interface CompiledRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly string[];
}

/**
 * Compiles rule files. All problems of all files are found at once.
 *
 * @returns The rules that compiled; they are only to be used when there are no problems.
 */
export function compileRuleFiles(files: readonly RuleFile[], vocabulary: Vocabulary): CompiledRules {
  const rules: Rule[] = [];
  const problems: string[] = [];
  const firstUse = new Map<string, string>();
  for (const file of files) {
    const source = parseYamlSource(file.name, file.text);
    problems.push(...source.problems);
    if (source.problems.length > 0) continue;
    const found: Problem[] = [];
    const report: Report = (problem) => void found.push(problem);
    for (const { rule, place } of rulesIn(source.value, report)) {
      const earlier = firstUse.get(rule.id);
      if (earlier !== undefined)
        report({ path: [...place, 'id'], message: `the rule id "${rule.id}" is already used in ${earlier}` });
      firstUse.set(rule.id, earlier ?? file.name);
      rules.push(compileRule(rule, vocabulary, place, report));
    }
    problems.push(...found.map(source.describe));
  }
  return { rules, problems };
}

function rulesIn(value: unknown, report: Report): { rule: RuleSource; place: Path }[] {
  // An empty file has no rules; that is not a mistake.
  const parsed = ruleFile.safeParse(
    withoutUnknownKeys(value ?? { rules: [] }, Object.keys(ruleFile.shape), [], report),
  );
  if (!parsed.success) {
    reportIssues(parsed.error.issues, [], report);
    return [];
  }
  return parsed.data.rules.flatMap((inFile, index) => {
    const place = ['rules', index];
    const rule = ruleFrom(inFile, place, report);
    return rule === undefined ? [] : [{ rule, place }];
  });
}

function ruleFrom(inFile: unknown, place: Path, report: Report): RuleSource | undefined {
  const parsed = ruleInFile.safeParse(
    withoutUnknownKeys(inFile, Object.keys(ruleInFile.shape), place, report),
  );
  if (!parsed.success) {
    reportIssues(parsed.error.issues, place, report);
    return undefined;
  }
  // A step that cannot be read is reported; the others are still looked into. The rule is not used then anyway.
  const steps = parsed.data.do.map(
    (step, index) => stepFrom(step, [...place, 'do', index], report) ?? UNREADABLE,
  );
  const { on_own_actions: onOwnActions, limit, ...rule } = parsed.data;
  return {
    ...rule,
    onOwnActions,
    ...(limit && { limit: { runs: limit.runs, perMs: limit.per } }),
    do: steps,
  };
}

/** Keeps the places of the steps behind it right. */
const UNREADABLE: StepSource = { action: 'log', args: { message: '' }, onError: 'stop' };

/** Reports the keys that nothing is called, and leaves them out, so that they do not hide what else is wrong. */
function withoutUnknownKeys(value: unknown, known: readonly string[], place: Path, report: Report): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key]) => {
    if (known.includes(key)) return true;
    report({ path: [...place, key], atKey: true, message: `unknown key "${key}"${didYouMean(key, known)}` });
    return false;
  });
  return Object.fromEntries(entries);
}

function stepFrom(
  inFile: Readonly<Record<string, unknown>> & {
    id?: string | undefined;
    if?: string | undefined;
    on_error?: 'stop' | 'continue' | undefined;
  },
  place: Path,
  report: Report,
): StepSource | undefined {
  const actions = Object.keys(inFile).filter((key) => !STEP_KEYS.includes(key));
  const [action, other] = actions;
  if (action === undefined) {
    report({
      path: place,
      message: 'a step needs an action, such as "assign_device_group: { group: Laptops }"',
    });
    return undefined;
  }
  if (other !== undefined) {
    const hint = didYouMean(other, STEP_KEYS) || didYouMean(action, STEP_KEYS);
    report({
      path: [...place, other],
      atKey: true,
      message: `a step has one action, this one has "${action}" and "${other}"${hint}`,
    });
    return undefined;
  }
  const args = inFile[action] ?? {};
  if (typeof args !== 'object' || Array.isArray(args)) {
    report({
      path: [...place, action],
      message: `${action}: expected its arguments, such as { name: value }`,
    });
    return undefined;
  }
  return {
    action,
    args: { ...args },
    onError: inFile.on_error ?? 'stop',
    ...(inFile.id !== undefined && { id: inFile.id }),
    ...(inFile.if !== undefined && { if: inFile.if }),
  };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function reportIssues(issues: readonly Issue[], place: Path, report: Report): void {
  for (const issue of issues) {
    const within = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const name = within.at(-1);
    report({
      path: [...place, ...within],
      message: typeof name === 'string' ? `${name}: ${issue.message}` : issue.message,
    });
  }
}
