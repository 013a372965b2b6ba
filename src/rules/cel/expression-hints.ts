/** What functions of other languages are called here. */
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
};

/**
 * How a call of a function that there is not would be written here.
 *
 * @param call - The text of the rule from the function's name on.
 */
export function functionHint(called: string, call: string, before: string): string {
  const instead = FUNCTIONS[called.toLowerCase().replaceAll('_', '')];
  if (instead === undefined) return '';
  const argument = /^\w+\(\s*("[^"]*"|'[^']*'|[\w.]+)\s*\)/.exec(call)?.[1];
  const receiver = /([\w.]+)\.$/.exec(before)?.[1];
  const exact =
    receiver !== undefined && argument !== undefined && instead.startsWith('a.') && instead.includes('"…"');
  return `: write ${exact ? instead.replace('a.', `${receiver}.`).replace('"…"', argument) : instead}`;
}

/**
 * How a call with other arguments than it takes would be right.
 *
 * @param call - The text of the rule from the call on.
 */
export function callHint(called: string, call: string): string {
  const [, first, second] = /^\w+\(\s*([^(),]+?)\s*(?:,\s*([^(),]+?)\s*)?\)/.exec(call) ?? [];
  if (first === undefined) return '';
  if (second === undefined)
    return /^\d[\d.]*$/.test(first) ? `; put the number in quotes: ${called}("${first}")` : '';
  return /^(?:contains|startsWith|endsWith|matches)$/.test(called)
    ? `; write ${first}.${called}(${second})`
    : '';
}

/** The operands of an operator as they stand in a rule. */
export interface WrittenOperands {
  readonly left: string;
  readonly operator: string;
  readonly right: string;
}

/**
 * What to write where the operands of an operator do not go together.
 *
 * @param kinds - What the two are: `text`, `number`, `time` …
 */
export function operandsHint(
  kinds: readonly [string, string],
  { left, operator, right }: WrittenOperands,
): string {
  const are = new Set(kinds);
  const both = (one: string, other: string): boolean => are.has(one) && are.has(other);
  if (operator === 'in' && kinds[1] === 'text') {
    return `: write ${left} in [${right}], or ${right}.contains(${left}) for a part of a text`;
  }
  if (both('duration', 'text') || both('duration', 'number')) return `: write duration("${hoursOf(right)}")`;
  if (both('version', 'text') || both('version', 'number'))
    return `: write ${versionOf(left)} ${operator} ${versionOf(right)}`;
  if (both('text', 'time')) return ': write timestamp("2026-01-31T08:00:00Z"), or age(a) > duration("336h")';
  if (both('time', 'duration')) return `: write age(${left}) ${operator} ${right}`;
  if (!both('text', 'number')) return '';
  const text = kinds[0] === 'text' ? left : right;
  const inEach = (change: (written: string) => string): string =>
    [left, operator, right].map((part) => (part === text ? change(part) : part)).join(' ');
  const literal = /^(["'])(\d[\d.]*)\1$/.exec(text)?.[2];
  if (literal !== undefined) return `: a number has no quotes: ${inEach(() => literal)}`;
  if (/(?:^|[._])version$/.test(text))
    return `: compare versions as ${versionOf(left)} ${operator} ${versionOf(right)}`;
  if (/(?:^|[._])battery_level$/.test(text))
    return `: it is a text such as "87%"; write ${inEach((level) => `double(${level}.split("%")[0])`)}`;
  return `: compare a number in a text as ${inEach((part) => `double(${part})`)}`;
}

/** `14` and `"14d"` are meant as days, what else there is as hours. */
function hoursOf(written: string): string {
  const days = /^["']?(\d{1,5})d?["']?$/.exec(written)?.[1];
  return days === undefined ? '336h' : `${Number(days) * 24}h`;
}

function versionOf(written: string): string {
  if (written.startsWith('version(')) return written;
  return `version(${/^\d[\d.]*$/.test(written) ? `"${written}"` : written})`;
}

/** A "-" in a name is a minus: `steps.say-hi` takes `hi` from `steps.say`. */
export function hyphenHint(text: string, start: number): string | undefined {
  const from = /^[\w-]*/.exec(text.slice(start))?.[0] ?? '';
  const before = /[A-Za-z_][\w.-]*$/.exec(text.slice(0, start))?.[0] ?? '';
  const whole = before + from;
  const dot = whole.lastIndexOf('.');
  const [of, name] = [whole.slice(0, Math.max(dot, 0)), whole.slice(dot + 1)];
  if (of === '' || !/\w-\w/.test(name)) return undefined;
  const instead =
    of === 'steps' ? `the ids of steps take _: steps.${name.replaceAll('-', '_')}` : `write ${of}["${name}"]`;
  return `"-" is minus here: ${instead}`;
}
