import type { Environment } from '@marcbachmann/cel-js';
import { didYouMean } from '../../errors/did-you-mean.js';
import type { ExpressionProblem } from '../model/problem.js';
import { fieldHint } from '../model/field-aliases.js';
import { shapeAt, unknownColumn, unknownLookup } from '../model/shape-path.js';
import { EVENT_SHAPE, LOOKUP } from '../model/vocabulary.js';
import type { Shape } from '../model/vocabulary.js';
import { libraryError } from './library-error.js';
import type { LibraryError } from './library-error.js';
import { callHint, durationOf, functionHint, hyphenHint, operandsHint } from './rewrite-hints.js';
import type { WrittenOperands } from './rewrite-hints.js';
import { explainSyntaxError } from './syntax-error.js';
import { typeInWords, typeWord } from './type-words.js';

/** Explains an error of the CEL library to the author of a rule. */
export function explainExpressionError(
  error: unknown,
  text: string,
  shapes: Readonly<Record<string, Shape>>,
  checking: Environment,
): ExpressionProblem {
  const names = { event: EVENT_SHAPE, ...shapes };
  const found = libraryError(error);
  return (
    bracesProblem(text) ??
    explainSyntaxError(found, text) ??
    unknownName(found, text, names) ??
    unknownFunction(found, text, checking) ?? {
      code: 'rule/type-mismatch',
      message: typeProblem(found, text) ?? found.summary,
      offset: found.start,
    }
  );
}

/** `'{{ device.platform }} == "macOS"'`, as in templates. */
function bracesProblem(text: string): ExpressionProblem | undefined {
  const offset = text.search(/\{\{|\{%/);
  if (offset < 0) return undefined;
  const fixed = text.replace(/\{\{\s*|\s*\}\}/g, '').trim();
  return {
    code: 'rule/invalid-expression',
    message: `a condition needs no {{ }}: write ${fixed}`,
    offset,
  };
}

function unknownName(
  { code, summary, start }: LibraryError,
  text: string,
  names: Readonly<Record<string, Shape>>,
): ExpressionProblem | undefined {
  if (code !== 'no_such_key' && code !== 'unknown_variable') return undefined;
  const name = /^(?:No such key|Unknown variable): (\S+)/.exec(summary)?.[1] ?? '';
  const hyphen = hyphenHint(text, start);
  if (hyphen !== undefined) return { code: 'rule/unknown-name', message: hyphen, offset: start };
  if (code === 'unknown_variable') {
    return {
      code: name === 'env' ? 'rule/env-misplaced' : 'rule/unknown-name',
      message: `unknown name "${name}"${hintFor(name, text.slice(start), names)}`,
      offset: start,
    };
  }
  if (/\bsteps\.$/.test(text.slice(0, start))) {
    const earlier = fieldNames({ steps: names['steps'] ?? 'any' });
    const message = `no earlier step has the id "${name}"${didYouMean(name, earlier)}`;
    return { code: 'rule/unknown-step', message, offset: start };
  }
  const inLookup = lookupProblem(name, text.slice(0, start), names);
  if (inLookup !== undefined) return { ...inLookup, offset: start };
  const of = /([\w.]+)\.$/.exec(text.slice(0, start))?.[1];
  const hint =
    of === 'event' && name === 'device' ? ': write device' : of === 'device' ? fieldHint(name) : '';
  const message = `unknown field "${name}"${hint || didYouMean(name, fieldNames(names))}`;
  return { code: 'rule/unknown-field', message, offset: start };
}

/** Names of other languages that a condition writes as a literal or a function. */
const WORDS: Readonly<Record<string, string>> = {
  none: 'null',
  nil: 'null',
  undefined: 'null',
  true: 'true',
  yes: 'true',
  on: 'true',
  false: 'false',
  no: 'false',
  off: 'false',
  today: 'age(a) < duration("24h"), or until(a)',
  yesterday: 'age(a) > duration("24h")',
  now: 'age(a) or until(a)',
  version: 'version(device.os_version) >= version("15.1")',
  os_version: 'version(device.os_version) >= version("15.1")',
};

/** `lookup.stuff` and `lookup.staff[…].departmnt`. */
function lookupProblem(
  name: string,
  before: string,
  { [LOOKUP]: lookups = 'any' }: Readonly<Record<string, Shape>>,
): Omit<ExpressionProblem, 'offset'> | undefined {
  if (/\blookup\s*\.\s*$/.test(before)) {
    const known = typeof lookups === 'object' && 'fields' in lookups ? Object.keys(lookups.fields) : [];
    return { code: 'rule/unknown-name', message: unknownLookup(name, known) };
  }
  const table = /\blookup\s*\.\s*(\w+)\s*$/.exec(beforeBrackets(before))?.[1];
  const row = table === undefined ? undefined : shapeAt(lookups, [table, '']);
  if (table === undefined || typeof row !== 'object' || !('fields' in row)) return undefined;
  return { code: 'rule/unknown-field', message: unknownColumn(name, table, Object.keys(row.fields)) };
}

/** The text before the brackets that stand right before its end. */
function beforeBrackets(text: string): string {
  let depth = 0;
  for (let at = text.replace(/[\s.]*$/, '').length - 1; at >= 0; at -= 1) {
    if (text[at] === ']') depth += 1;
    if (text[at] === '[') depth -= 1;
    if (depth === 0) return text[at] === '[' ? text.slice(0, at) : '';
  }
  return '';
}

function hintFor(name: string, from: string, names: Readonly<Record<string, Shape>>): string {
  if (name === LOOKUP) return ': no rule file defines "lookups:"';
  if (name === 'steps') return ': only later steps can read the results of steps';
  if (name === 'env') return ': conditions cannot read environment variables';
  const word = WORDS[name.toLowerCase()];
  if (word !== undefined) return `: write ${word}`;
  if (name === 'item') return ': only a step with for_each has an item';
  const known = Object.keys(names);
  const { device } = names;
  if (typeof device === 'object' && 'fields' in device && Object.hasOwn(device.fields, name))
    return `: write device.${name}`;
  const near = fieldHint(name) || didYouMean(name, known);
  if (near !== '') return near;
  const standsAlone = !/^\w+\s*[.[(]/.test(from);
  return `${standsAlone ? `; a text needs quotes: "${name}"` : ''} (known here: ${known.join(', ')})`;
}

function fieldNames(shapes: Readonly<Record<string, Shape>>): string[] {
  return Object.values(shapes).flatMap((shape): string[] => {
    if (typeof shape === 'string' || 'oneOf' in shape) return [];
    if ('list' in shape) return fieldNames({ item: shape.list });
    if ('mapOf' in shape) return [];
    // Their columns are named in their own messages.
    if ('tableOf' in shape) return [];
    return [...Object.keys(shape.fields), ...fieldNames(shape.fields)];
  });
}

const MAX_FORMS_SHOWN = 4;

function unknownFunction(
  { code, summary, start }: LibraryError,
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
    return { code: 'rule/unknown-function', message: `unknown function "${called}"${hint}`, offset };
  }
  const shown = forms.slice(0, MAX_FORMS_SHOWN).map(({ receiverType, params }) =>
    callInWords(
      receiverType,
      called,
      params.map(({ type }) => type),
    ),
  );
  const method = /([\w.]+)\.$/.exec(text.slice(0, offset))?.[1];
  const other =
    called === 'in_group'
      ? `; write ${text.slice(offset).replace(/^(in_group\([^)]*\)).*$/s, '$1')}`
      : called === 'contains' && typeWord(receiver ?? '') === 'list'
        ? `; write ${method ?? 'apps'}.exists(a, a.name == ${/\(\s*("[^"]*"|'[^']*')/.exec(text.slice(offset))?.[1] ?? '"…"'})`
        : undefined;
  const written = callInWords(receiver, called, given === '' ? [] : given.split(', '));
  return {
    code: 'rule/type-mismatch',
    message: `wrong arguments: ${written}; expected ${[...new Set(shown)].join(', ')}${other ?? callHint(called, text.slice(offset))}`,
    offset,
  };
}

function callInWords(receiver: string | null | undefined, name: string, given: readonly string[]): string {
  const on = receiver === null || receiver === undefined ? '' : `${typeWord(receiver)}.`;
  return `${on}${name}(${given.map((type) => (type === 'ast' ? '…' : typeWord(type))).join(', ')})`;
}

function typeProblem({ code, summary, start }: LibraryError, text: string): string | undefined {
  switch (code) {
    case 'no_such_overload':
      return operatorProblem(summary, text, start);
    case 'invalid_logical_operand':
      return `both sides of && and || must be true or false; this is ${typeInWords(quoted(summary))}`;
    case 'invalid_condition_type': {
      const macro = /^(\w+)\(/.exec(summary)?.[1];
      const what = macro === undefined ? 'the part before "?"' : `the condition in ${macro}(…)`;
      return `${what} must be true or false; this is ${typeInWords(quoted(summary))}`;
    }
    case 'invalid_macro_argument':
      return 'the first argument must be a name for the item, such as apps.exists(a, a.name == "…")';
    case 'cannot_index_type':
      return propertyProblem(summary, text, start);
    case 'invalid_index_type':
      return 'this is a list: use exists(a, …), all(a, …) or filter(a, …), or an index such as [0]';
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
      : `"${unary[1] ?? ''}" does not work on ${typeInWords(unary[2] ?? '')}; to ask whether a value is missing write == null`;
  }
  const [, left = '', operator = '', right = ''] = operands;
  const hint = operandsHint([typeWord(left), typeWord(right)], writtenAround(operator, text.slice(start)));
  if (operator === 'in' && typeWord(right) === 'text')
    return `"in" needs a list on its right, not a text${hint}`;
  return /^[=!<>]/.test(operator)
    ? `cannot compare ${typeInWords(left)} with ${typeInWords(right)}${hint}`
    : `"${operator}" does not work on ${typeInWords(left)} and ${typeInWords(right)}${hint}`;
}

/** The operands as written in the rule; `a` and `b` for long ones. */
function writtenAround(operator: string, text: string): WrittenOperands {
  const between = operator === 'in' ? ' in ' : operator;
  const at = text.indexOf(between);
  const left = text.slice(0, Math.max(at, 0)).trim();
  const right = /^\s*("[^"]*"|'[^']*'|[\w.]+(?:\([^()]*\))?)/.exec(text.slice(at + between.length))?.[1];
  const isShort = /^[\w.]+(?:\([^()]*\))?$|^"[^"]*"$|^'[^']*'$/.test(left);
  return { left: isShort ? left : 'a', operator, right: right ?? 'b' };
}

/** `device.name.length`: a text has functions, and no properties. */
function propertyProblem(summary: string, text: string, start: number): string {
  const word = typeInWords(quoted(summary));
  const receiver = /([\w.]+)\.$/.exec(text.slice(0, start))?.[1];
  const name = /^\w+/.exec(text.slice(start))?.[0];
  if (receiver === undefined || name === undefined) return `${word} cannot be indexed with [ ]`;
  const fix = /^(?:length|size|count|len)$/i.test(name) ? `: write size(${receiver})` : '';
  return `${receiver} is ${word} and has no "${name}"${fix}`;
}

const quoted = (summary: string): string => /'([^']*)'$/.exec(summary)?.[1] ?? '';

/** Explains the error of a call whose arguments are all literals, with what to write instead. */
export function explainLiteralError(error: unknown): string {
  const { code, summary } = libraryError(error);
  switch (code) {
    case 'invalid_duration': {
      const given = summary.replace(/^Invalid duration string: '?([^']*)'?$/, '$1');
      const hours = durationOf(given);
      return `"${given}" is not a duration: write hours, minutes and seconds, such as duration("${hours}")`;
    }
    case 'invalid_timestamp':
      return 'this is not a time: write timestamp("2026-01-31T08:00:00Z")';
    default:
      return summary;
  }
}
