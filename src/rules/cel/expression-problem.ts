import type { Environment } from '@marcbachmann/cel-js';
import { isNativeError } from 'node:util/types';
import { didYouMean } from '../../config/nearest-name.js';
import { errorText } from '../../telemetry/error-text.js';
import { callHint, functionHint, hyphenHint, operandsHint } from './expression-hints.js';
import type { WrittenOperands } from './expression-hints.js';
import type { ExpressionProblem } from '../model/problem.js';
import { syntaxProblem } from './syntax-problem.js';
import type { LibraryProblem } from './syntax-problem.js';
import { EVENT_SHAPE } from '../model/vocabulary.js';
import type { Shape } from '../model/vocabulary.js';

/** What the library found wrong with an expression, in words for the author of a rule. */
export function problemFrom(
  error: unknown,
  text: string,
  shapes: Readonly<Record<string, Shape>>,
  checking: Environment,
): ExpressionProblem {
  const names = { event: EVENT_SHAPE, ...shapes };
  const problem = { code: codeOf(error), summary: summaryOf(error), start: startOf(error) };
  return (
    bracesProblem(text) ??
    syntaxProblem(problem, text) ??
    unknownName(problem, text, names) ??
    unknownFunction(problem, text, checking) ?? {
      message: typeProblem(problem, text) ?? problem.summary,
      offset: problem.start,
    }
  );
}

/** `'{{ device.platform }} == "macOS"'`, as in texts. */
function bracesProblem(text: string): ExpressionProblem | undefined {
  const offset = text.search(/\{\{|\{%/);
  if (offset < 0) return undefined;
  const instead = text.replace(/\{\{\s*|\s*\}\}/g, '').trim();
  return { message: `conditions take no {{ }}: write ${instead}`, offset };
}

function unknownName(
  { code, summary, start }: LibraryProblem,
  text: string,
  names: Readonly<Record<string, Shape>>,
): ExpressionProblem | undefined {
  const name = /^(?:No such key|Unknown variable): (\S+)/.exec(summary)?.[1] ?? '';
  if (code === 'no_such_key') {
    const hyphen = hyphenHint(text, start);
    if (hyphen !== undefined) return { message: hyphen, offset: start };
    if (/\bsteps\.$/.test(text.slice(0, start))) {
      const earlier = fieldNames({ steps: names['steps'] ?? 'any' });
      return { message: `no earlier step is called "${name}"${didYouMean(name, earlier)}`, offset: start };
    }
    return { message: `unknown field "${name}"${didYouMean(name, fieldNames(names))}`, offset: start };
  }
  if (code !== 'unknown_variable') return undefined;
  const hyphen = hyphenHint(text, start);
  if (hyphen !== undefined) return { message: hyphen, offset: start };
  return { message: `unknown name "${name}"${hintFor(name, text.slice(start), names)}`, offset: start };
}

/** What was probably meant by a name that nothing has. */
function hintFor(name: string, from: string, names: Readonly<Record<string, Shape>>): string {
  if (name === 'steps') return ': what steps leave behind is known to later steps only';
  if (name === 'env') return ': conditions know nothing of the environment';
  if (name === 'item') return ': only a step with for_each has an item';
  const known = Object.keys(names);
  const near = didYouMean(name, known);
  if (near !== '') return near;
  const standsAlone = !/^\w+\s*[.[(]/.test(from);
  return `${standsAlone ? `; a text needs quotes: "${name}"` : ''} (known here: ${known.join(', ')})`;
}

function fieldNames(shapes: Readonly<Record<string, Shape>>): string[] {
  return Object.values(shapes).flatMap((shape): string[] => {
    if (typeof shape === 'string' || 'oneOf' in shape) return [];
    if ('list' in shape) return fieldNames({ item: shape.list });
    if ('mapOf' in shape) return [];
    return [...Object.keys(shape.fields), ...fieldNames(shape.fields)];
  });
}

const FORMS_SHOWN = 4;

function unknownFunction(
  { code, summary, start }: LibraryProblem,
  text: string,
  checking: Environment,
): ExpressionProblem | undefined {
  if (code !== 'no_matching_overload') return undefined;
  const [, receiver, called = '', given = ''] = /'(?:(.*)\.)?(\w+)\((.*)\)'/.exec(summary) ?? [];
  const offset = Math.max(start, text.indexOf(called, start));
  const { functions } = checking.getDefinitions();
  const forms = functions.filter(({ name }) => name === called);
  if (forms.length === 0) {
    const names = functions.map(({ name }) => name);
    const hint = functionHint(called, text.slice(offset), text.slice(0, offset)) || didYouMean(called, names);
    return { message: `unknown function "${called}"${hint}`, offset };
  }
  const shown = forms.slice(0, FORMS_SHOWN).map(({ receiverType, params }) =>
    callInWords(
      receiverType,
      called,
      params.map(({ type }) => type),
    ),
  );
  const as = callInWords(receiver, called, given === '' ? [] : given.split(', '));
  return {
    message: `there is no ${as}; there is ${[...new Set(shown)].join(', ')}${callHint(called, text.slice(offset))}`,
    offset,
  };
}

function callInWords(receiver: string | null | undefined, name: string, given: readonly string[]): string {
  const on = receiver === null || receiver === undefined ? '' : `${bareType(receiver)}.`;
  return `${on}${name}(${given.map((type) => (type === 'ast' ? '…' : bareType(type))).join(', ')})`;
}

function typeProblem({ code, summary, start }: LibraryProblem, text: string): string | undefined {
  switch (code) {
    case 'no_such_overload':
      return operatorProblem(summary, text, start);
    case 'invalid_logical_operand':
      return `what && and || join must be true or false; here is ${typeInWords(quoted(summary))}`;
    case 'invalid_condition_type': {
      const macro = /^(\w+)\(/.exec(summary)?.[1];
      const what = macro === undefined ? 'what stands before the "?"' : `the condition in ${macro}(…)`;
      return `${what} must be true or false; here is ${typeInWords(quoted(summary))}`;
    }
    case 'invalid_macro_argument':
      return 'the first argument is a name for the item, such as apps.exists(a, a.name == "…")';
    case 'cannot_index_type':
      return `${typeInWords(quoted(summary))} has no parts to take with [ ]`;
    case 'invalid_index_type':
      return 'this is a list: its items are looked at with exists(a, …), all(a, …) or filter(a, …), or taken by their place, [0]';
    default:
      return undefined;
  }
}

function operatorProblem(summary: string, text: string, start: number): string {
  const operands = /: (.+) (==|!=|<=|>=|<|>|\+|-|\*|\/|%|in) (.+)$/.exec(summary);
  if (operands === null) {
    const unary = /: ([!-])(.+)$/.exec(summary);
    return unary === null
      ? summary
      : `"${unary[1] ?? ''}" is not for ${typeInWords(unary[2] ?? '')}; for something that may be missing write == null`;
  }
  const [, left = '', operator = '', right = ''] = operands;
  const hint = operandsHint([bareType(left), bareType(right)], writtenAround(operator, text.slice(start)));
  return `${typeInWords(left)} and ${typeInWords(right)} do not go together with "${operator}"${hint}`;
}

/** The operands as they stand in the rule; where they are long, what stands for them. */
function writtenAround(operator: string, text: string): WrittenOperands {
  const between = operator === 'in' ? ' in ' : operator;
  const at = text.indexOf(between);
  const left = text.slice(0, Math.max(at, 0)).trim();
  const right = /^\s*("[^"]*"|'[^']*'|[\w.]+(?:\([^()]*\))?)/.exec(text.slice(at + between.length))?.[1];
  const isShort = /^[\w.]+(?:\([^()]*\))?$|^"[^"]*"$|^'[^']*'$/.test(left);
  return { left: isShort ? left : 'a', operator, right: right ?? 'b' };
}

const quoted = (summary: string): string => /'([^']*)'$/.exec(summary)?.[1] ?? '';

const BARE: Readonly<Record<string, string>> = {
  string: 'text',
  double: 'number',
  int: 'number',
  uint: 'number',
  'google.protobuf.Timestamp': 'time',
  'google.protobuf.Duration': 'duration',
  Version: 'version',
  dyn: 'value',
  map: 'record',
};

/** A CEL type as one word. */
function bareType(type: string): string {
  if (/^list\b/.test(type)) return 'list';
  if (/^(?:Fact_|map\b)/.test(type)) return 'record';
  return BARE[type] ?? type;
}

/** A CEL type in words, as in "here is a text". */
export function typeInWords(type: string): string {
  const bare = bareType(type);
  if (bare === 'bool') return 'true or false';
  return bare === 'null' ? 'null' : `a ${bare}`;
}

/** What is wrong with a call whose arguments are all written out in a rule, with what to write instead. */
export function constantProblem(error: unknown): string {
  const summary = summaryOf(error);
  switch (codeOf(error)) {
    case 'invalid_duration': {
      const given = summary.replace(/^Invalid duration string: '?([^']*)'?$/, '$1');
      const days = /^(\d{1,6})d$/.exec(given)?.[1];
      const instead = days === undefined ? '336h' : `${Number(days) * 24}h`;
      return `"${given}" is no duration: write hours, minutes and seconds, such as duration("${instead}")`;
    }
    case 'invalid_timestamp':
      return 'this is no time: write timestamp("2026-01-31T08:00:00Z")';
    default:
      return summary;
  }
}

/** What the library says, without the excerpt that it adds. */
export function summaryOf(error: unknown): string {
  return isNativeError(error) && 'summary' in error && typeof error.summary === 'string'
    ? error.summary
    : errorText(error);
}

export function codeOf(error: unknown): unknown {
  return isNativeError(error) && 'code' in error ? error.code : undefined;
}

function startOf(error: unknown): number {
  const range = isNativeError(error) && 'range' in error ? error.range : undefined;
  return typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number'
    ? range.start
    : 0;
}
