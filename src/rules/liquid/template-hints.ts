/** Filters of other template languages, and their names in Liquid. */
const FILTERS: Readonly<Record<string, string>> = {
  lower: 'downcase',
  tolowercase: 'downcase',
  lowercase: 'downcase',
  upper: 'upcase',
  touppercase: 'upcase',
  uppercase: 'upcase',
  title: 'capitalize',
  length: 'size',
  count: 'size',
  trim: 'strip',
  urlencode: 'url_encode',
  encode: 'url_encode',
  tojson: 'json',
  to_json: 'json',
  e: 'escape',
  safe: 'raw',
  int: 'to_integer',
  date_format: 'date',
  format: 'date',
  substring: 'slice',
  substr: 'slice',
};

/** Tags of other template languages. */
const TAGS: Readonly<Record<string, string>> = {
  elif: '{% elsif … %}',
  elseif: '{% elsif … %}',
  else_if: '{% elsif … %}',
  set: '{% assign x = … %}',
  let: '{% assign x = … %}',
  end: '{% endif %} or {% endfor %}',
  foreach: '{% for x in … %}',
  each: '{% for x in … %}',
  switch: '{% case … %}',
};

/** `: write …` for a filter of another language; empty when nothing is known about the name. */
export function filterHint(name: string): string {
  const key = name.toLowerCase();
  return Object.hasOwn(FILTERS, key) ? `: write | ${FILTERS[key] ?? ''}` : '';
}

/** `: write …` for a tag of another language; empty when nothing is known about the name. */
export function tagHint(name: string): string {
  const key = name.toLowerCase();
  return Object.hasOwn(TAGS, key) ? `: write ${TAGS[key] ?? ''}` : '';
}

/**
 * How to write a part of a template that is another language; empty when nothing is known about it.
 *
 * @param part - The output or the tag, with its braces.
 */
export function syntaxHint(part: string): string {
  const method = /\{\{\s*([\w.]+)\.(\w+)\(\s*\)/.exec(part);
  if (method !== null)
    return `: write {{ ${method[1] ?? ''} | ${FILTERS[(method[2] ?? '').toLowerCase()] ?? method[2] ?? ''} }}`;
  const called = /\|\s*(\w+)\s*\(\s*(.*?)\s*\)/.exec(part);
  if (called !== null) return `: write | ${called[1] ?? ''}: ${called[2] ?? ''}`;
  const or = /\{\{\s*([\w.]+)\s*(?:\|\||\?\?|\bor\b)\s*("[^"]*"|'[^']*')/.exec(part);
  if (or !== null) return `: write {{ ${or[1] ?? ''} | default: ${or[2] ?? ''} }}`;
  const ternary = /\{\{\s*([\w.]+)\s*\?\s*(["'])(.*?)\2\s*:\s*(["'])(.*?)\4/.exec(part);
  if (ternary !== null) return chosen(ternary[1], ternary[3], ternary[5]);
  const conditional = /\{\{\s*(["'])(.*?)\1\s+if\s+([\w.]+)\s+else\s+(["'])(.*?)\4/.exec(part);
  if (conditional !== null) return chosen(conditional[3], conditional[2], conditional[5]);
  if (part.includes('&&')) return ': write and';
  if (part.includes('||')) return ': write or';
  const negated = /\{%-?\s*if\s+!\s*([\w.]+)\s*-?%\}/.exec(part)?.[1];
  if (negated !== undefined) return `: write {% unless ${negated} %}`;
  return /[^=!<>]=[^=]/.test(part) && part.startsWith('{%') ? ': write == to compare' : '';
}

const chosen = (condition = '', yes = '', no = ''): string =>
  `: write {% if ${condition} %}${yes}{% else %}${no}{% endif %}`;
