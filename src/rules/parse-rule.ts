import type { z } from 'zod';
import { adviceOnKey } from './key-advice.js';
import { scheduleType } from './model/event-pattern.js';
import type { Path, Report } from './model/problem.js';
import { parseApproval } from './model/approval-schema.js';
import { ruleInFile, schedule, stepInFile } from './model/rule-schema.js';
import type { RuleSource, StepSource } from './model/rule-schema.js';
import { member } from './model/values.js';
import type { Vocabulary } from './model/vocabulary.js';
import { parseStep } from './parse-step.js';
import { reportRuleIssues } from './rule-file-issues.js';
import { withTextsAsWritten } from './texts-as-written.js';
import type { TakeText } from './texts-as-written.js';
import { withoutUnknownKeys } from './unknown-key.js';

/** The id of a rule whose own id is invalid; other checks go on with it. */
export const UNREADABLE_RULE_ID = 'unreadable';

/** Parses a rule of a file. Returns undefined, and reports why, when the value is not a rule. */
export function parseRule(
  inFile: unknown,
  vocabulary: Vocabulary,
  place: Path,
  { report, takeText }: { readonly report: Report; readonly takeText: TakeText },
): RuleSource | undefined {
  const hintFor = (key: string): string | undefined =>
    Object.hasOwn(vocabulary.actions, key)
      ? `: ${key} is an action: write "- ${key}: …" below "do:"`
      : adviceOnKey(key, 'rule');
  const { value, intended } = withoutUnknownKeys(inFile, knownKeys(inFile), place, report, hintFor);
  const written = withTextsAsWritten(ruleInFile, value, place, takeText);
  const data = validRule(written, intended, place, report);
  if (data === undefined) return undefined;
  // A placeholder for an unreadable step keeps the positions of the steps behind it right. The rule is never used.
  const stepsOf = (key: 'do' | 'on_clear'): StepSource[] =>
    (data[key] ?? []).map(
      (step, index) =>
        parseStep(step, vocabulary, [...place, key, index], { report, takeText }) ?? UNREADABLE_STEP,
    );
  const {
    on_own_actions: onOwnActions,
    limit,
    settle: settleMs,
    on,
    once_per: oncePer,
    approve,
    on_clear: onClear,
    ...rule
  } = data;
  return {
    ...rule,
    ...triggerOf(rule.id, on),
    onOwnActions,
    ...(settleMs !== undefined && { settleMs }),
    ...(limit && { limit: { runs: limit.runs, perMs: limit.per } }),
    ...(oncePer !== undefined && { oncePer }),
    ...(approve && { approve: parseApproval(approve) }),
    do: stepsOf('do'),
    ...(onClear && { onClear: stepsOf('on_clear') }),
  };
}

/** The keys of a rule. With another value than that of an edge, `when` is the key of another tool. */
function knownKeys(inFile: unknown): string[] {
  const when: unknown = member(inFile, 'when');
  const isEdge = typeof when !== 'string' || /^becom/i.test(when);
  return Object.keys(ruleInFile.shape).filter((key) => key !== 'when' || isEdge);
}

type RuleInFile = z.output<typeof ruleInFile>;

/** A rule with a schedule listens for the events that its schedule emits. */
function triggerOf(id: string, on: RuleInFile['on']): Pick<RuleSource, 'on' | 'schedule'> {
  if (Array.isArray(on)) return { on };
  const { schedule: cron, timezone, for_each: forEach } = on;
  return { on: [scheduleType(id)], schedule: { cron, timezone, ...(forEach && { forEach }) } };
}

/** Validates a rule. Reports and drops invalid keys, so that they do not hide other problems. */
function validRule(
  inFile: unknown,
  intended: ReadonlySet<string>,
  place: Path,
  report: Report,
): RuleInFile | undefined {
  const parsed = ruleInFile.safeParse(inFile);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues
    .flatMap((issue) => scheduleIssues(issue, inFile) ?? [issue])
    // A misspelled key is not reported as missing as well.
    .filter(({ path: [key] }) => !intended.has(String(key)));
  reportRuleIssues(issues, inFile, place, report);
  if (typeof inFile !== 'object' || inFile === null) return undefined;
  const invalid = new Set(parsed.error.issues.map(({ path }) => path[0]));
  const valid = Object.fromEntries(
    Object.entries(inFile).filter(([key]) => key !== 'do' && !invalid.has(key)),
  );
  const steps: unknown = Object.getOwnPropertyDescriptor(inFile, 'do')?.value;
  return ruleInFile.safeParse({
    id: UNREADABLE_RULE_ID,
    on: '*',
    ...valid,
    do: readableSteps(steps),
    ...(invalid.has('allow') && { allow: ['destructive'] }),
  }).data;
}

/** For a schedule, reports its own issues instead of "expected an event type, a list, or a schedule". */
function scheduleIssues(
  { path, code }: z.core.$ZodIssue,
  inFile: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  if (code !== 'invalid_union' || path[0] !== 'on') return undefined;
  const on: unknown = member(inFile, 'on');
  if (typeof on !== 'object' || on === null || Array.isArray(on)) return undefined;
  return schedule.safeParse(on).error?.issues.map((issue) => ({ ...issue, path: ['on', ...issue.path] }));
}

/** The steps without their invalid keys. */
function readableSteps(steps: unknown): unknown[] {
  const all: unknown[] = Array.isArray(steps) && steps.length > 0 ? steps : [UNREADABLE_STEP_IN_FILE];
  return all.map((step): unknown => {
    const parsed = stepInFile.safeParse(step);
    if (parsed.success) return step;
    if (typeof step !== 'object' || step === null) return UNREADABLE_STEP_IN_FILE;
    const invalid = new Set(parsed.error.issues.map(({ path }) => path[0]));
    return Object.fromEntries(Object.entries(step).filter(([key]) => !invalid.has(key)));
  });
}

const UNREADABLE_STEP: StepSource = { action: 'log', args: { message: '' }, onError: 'stop' };
const UNREADABLE_STEP_IN_FILE = { log: { message: '' } };
