/** Functions of other languages, and how to write them in CEL. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  includes: 'a.contains("…")',
  has: 'a.contains("…")',
  indexof: 'a.contains("…")',
  tolowercase: 'a.lowerAscii()',
  lower: 'a.lowerAscii()',
  downcase: 'a.lowerAscii()',
  touppercase: 'a.upperAscii()',
  upper: 'a.upperAscii()',
  upcase: 'a.upperAscii()',
  len: 'size(a)',
  length: 'size(a)',
  count: 'size(a)',
  any: 'a.exists(x, …)',
  some: 'a.exists(x, …)',
  every: 'a.all(x, …)',
  now: 'age(a) or until(a)',
  test: 'a.matches("…")',
  match: 'a.matches("…")',
  beginswith: 'a.startsWith("…")',
  empty: 'a == null, or size(a) == 0',
  isempty: 'a == null, or size(a) == 0',
  isnull: 'a == null',
  exists: 'a != null',
  defined: 'a != null',
  attribute: 'attributes.department',
  customattribute: 'attributes.department',
  ingroups: 'in_group("Laptops")',
  memberof: 'in_group("Laptops")',
  dayssince: 'age(a) > duration("336h")',
  hasapp: 'apps.exists(a, a.name == "…")',
  substring: 'a.substring(0, 3)',
};

/**
 * How to write a call of an unknown function in CEL.
 *
 * @param call - The text of the rule from the name of the function on.
 * @param before - The text of the rule before it.
 */
export function functionHint(called: string, call: string, before: string): string {
  const fix = FUNCTIONS[called.toLowerCase().replaceAll('_', '')];
  if (fix === undefined) return '';
  const argument = /^\w+\(\s*("[^"]*"|'[^']*'|[\w.]+)\s*\)/.exec(call)?.[1];
  const receiver = /([\w.]+)\.$/.exec(before)?.[1];
  const exact =
    receiver !== undefined && argument !== undefined && fix.startsWith('a.') && fix.includes('"…"');
  return `: write ${exact ? fix.replace('a.', `${receiver}.`).replace('"…"', argument) : fix}`;
}

/**
 * How to fix a call with wrong arguments.
 *
 * @param call - The text of the rule from the call on.
 */
export function callHint(called: string, call: string): string {
  const [, first, second] = /^\w+\(\s*([^(),]+?)\s*(?:,\s*([^(),]+?)\s*)?\)/.exec(call) ?? [];
  if (first === undefined) return '';
  if (second === undefined)
    return /^\d[\d.]*$/.test(first) ? `; put the number in quotes: ${called}("${first}")` : '';
  if (called === 'in_group') return '';
  return /^(?:contains|startsWith|endsWith|matches)$/.test(called)
    ? `; write ${first}.${called}(${second})`
    : '';
}

/** The operands of an operator as written in a rule. */
export interface WrittenOperands {
  readonly left: string;
  readonly operator: string;
  readonly right: string;
}

/**
 * How to fix an operator whose operands have types that do not match.
 *
 * @param kinds - The types of both operands: `text`, `number`, `time` …
 */
export function operandsHint(
  kinds: readonly [string, string],
  { left, operator, right }: WrittenOperands,
): string {
  const found = new Set(kinds);
  const both = (one: string, other: string): boolean => found.has(one) && found.has(other);
  if (operator === 'in' && kinds[1] === 'text') {
    return `: write ${left} in [${right}], or ${right}.contains(${left}) for a part of a text`;
  }
  if (operator === 'in' && kinds[1] === 'list') return `: write ${right}.exists(a, a.name == ${left})`;
  if (both('duration', 'text') || both('duration', 'number'))
    return `: write duration("${durationOf(right)}")`;
  if (kinds.includes('record') && /^(?:device\.)?group$/.test(left))
    return ': write in_group("Laptops"), or group.name == "Laptops"';
  const truth = /^["'](true|false)["']$/i.exec(right)?.[1]?.toLowerCase();
  if (kinds.includes('bool') && truth !== undefined) return `: write ${left} ${operator} ${truth}`;
  if (both('version', 'text') || both('version', 'number'))
    return `: write ${versionOf(left)} ${operator} ${versionOf(right)}`;
  if (both('text', 'time')) return ': write timestamp("2026-01-31T08:00:00Z"), or age(a) > duration("336h")';
  if (both('time', 'duration')) return `: write age(${left}) ${operator} ${right}`;
  if (!both('text', 'number')) return '';
  const text = kinds[0] === 'text' ? left : right;
  const inEach = (change: (written: string) => string): string =>
    [left, operator, right].map((part) => (part === text ? change(part) : part)).join(' ');
  const literal = /^(["'])(\d[\d.]*)\1$/.exec(text)?.[2];
  if (literal !== undefined) return `: a number has no quotes: write ${inEach(() => literal)}`;
  if (/(?:^|[._])version$/.test(text)) return `: write ${versionOf(left)} ${operator} ${versionOf(right)}`;
  if (/(?:^|[._])battery_level$/.test(text))
    return `: the level is a text such as "87%"; write ${inEach((level) => `double(${level}.split("%")[0])`)}`;
  return `: for a number in a text write ${inEach((part) => `double(${part})`)}`;
}

const UNIT_HOURS: Readonly<Record<string, number>> = { w: 168, d: 24, h: 1 };

/** `14 days` as hours, `90 min` as minutes; a number alone means days. Two weeks when the text is none of these. */
export function durationOf(written: string): string {
  const [, count, unit = 'd'] =
    /^["']?(\d{1,6})\s*(w(?:eeks?)?|d(?:ays?)?|h(?:ours?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)?["']?$/i.exec(
      written,
    ) ?? [];
  if (count === undefined) return '336h';
  const letter = unit.charAt(0).toLowerCase();
  const hours = UNIT_HOURS[letter];
  return hours === undefined ? `${count}${letter}` : `${Number(count) * hours}h`;
}

function versionOf(written: string): string {
  if (written.startsWith('version(')) return written;
  return `version(${/^\d[\d.]*$/.test(written) ? `"${written}"` : written})`;
}

/** A "-" in a name is a minus: `steps.say-hi` subtracts `hi` from `steps.say`. */
export function hyphenHint(text: string, start: number): string | undefined {
  const from = /^[\w-]*/.exec(text.slice(start))?.[0] ?? '';
  const before = /[A-Za-z_][\w.-]*$/.exec(text.slice(0, start))?.[0] ?? '';
  const whole = before + from;
  const dot = whole.lastIndexOf('.');
  const [of, name] = [whole.slice(0, Math.max(dot, 0)), whole.slice(dot + 1)];
  if (of === '' || !/\w-\w/.test(name)) return undefined;
  const fix =
    of === 'steps' ? `write step ids with _: steps.${name.replaceAll('-', '_')}` : `write ${of}["${name}"]`;
  return `"-" is minus here: ${fix}`;
}
