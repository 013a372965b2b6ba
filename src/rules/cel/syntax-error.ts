import type { ExpressionProblem } from '../model/problem.js';
import type { LibraryError } from './library-error.js';

/** Words of other languages, and how to write them in CEL. */
const WORDS: Readonly<Record<string, string>> = {
  and: 'write &&',
  or: 'write ||',
  not: 'write !',
  is: 'write ==',
  equals: 'write ==',
  like: 'write glob(a, "lab-*")',
  contains: 'write a.contains("…")',
  matches: 'write a.matches("…")',
  startswith: 'write a.startsWith("…")',
  endswith: 'write a.endsWith("…")',
};

const CHARACTERS: Readonly<Record<string, string>> = {
  '=': 'write == for "equal", != for "not equal"',
  '|': 'write || for "or"',
  '&': 'write && for "and"',
  '“': 'a text needs straight quotes: "…"',
  '”': 'a text needs straight quotes: "…"',
  '`': 'a text needs quotes: "…"',
  $: 'write the name without $',
  ';': 'leave it out',
  '~': 'write a.matches("…")',
  '‘': "a text needs straight quotes: '…'",
  '’': "a text needs straight quotes: '…'",
};

const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  IDENTIFIER: 'a name',
  NUMBER: 'a number',
  STRING: 'a text',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  COLON: '":"',
  COMMA: '","',
  DOT: '"."',
};

const problem = (message: string, offset: number): ExpressionProblem => ({
  code: 'rule/invalid-expression',
  message,
  offset,
});

/** Explains a syntax error of an expression; undefined for errors of other kinds. */
export function explainSyntaxError(
  { code, summary, start }: LibraryError,
  text: string,
): ExpressionProblem | undefined {
  switch (code) {
    case 'unexpected_character':
    case 'unexpected_token':
      return explainUnexpected(text, start);
    case 'expected_token': {
      const [, wanted = '', found = ''] = /^Expected (\w+), got (\w+)/.exec(summary) ?? [];
      const token = TOKENS[wanted] ?? wanted;
      if (wanted === 'RPAREN' && found === 'COMMA' && /\bin\s*\([^()]*$/.test(text.slice(0, start)))
        return problem('a list has brackets: write in ["a", "b"]', start);
      return problem(
        found === 'EOF'
          ? `${token} is missing at the end`
          : `expected ${token} instead of ${TOKENS[found] ?? 'this'}`,
        start,
      );
    }
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return problem('the quote is not closed', start);
    case 'newline_in_string':
      return problem('a text in quotes must end on its line: write \\n for a line break', start);
    case 'reserved_identifier':
      return problem(
        `${summary.replace(/^.*: (\w+)$/, '"$1"')} is a reserved word${summary.endsWith(': if') ? ': leave it out, the key "if:" says it' : ''}`,
        start,
      );
    case 'limit_exceeded':
      return problem(
        `the expression is too long or nested too deeply (${summary.replace(/^Exceeded /, '')})`,
        start,
      );
    default:
      return undefined;
  }
}

const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };

/** Forms of other languages at the place where the parser stopped; undefined when it is none that we know. */
function otherLanguage(text: string, start: number): { message: string; offset: number } | undefined {
  const before = text.slice(0, start);
  const rest = text.slice(start);
  const span =
    /^(w(?:eeks?)?|d(?:ays?)?|h(?:ours?)?|m(?:in(?:utes?)?)?|s(?:ec(?:onds?)?)?)\b(\s+ago\b)?/i.exec(rest);
  const count = /(\d+)\s*$/.exec(before)?.[1];
  if (span !== null && count !== undefined) {
    const unit = (span[1] ?? '').charAt(0).toLowerCase();
    const written = HOURS[unit] === undefined ? `${count}${unit}` : `${Number(count) * (HOURS[unit] ?? 1)}h`;
    const fix = `write duration("${written}")`;
    const message =
      span[2] === undefined
        ? `${count}${span[0]} is no duration here: ${fix}`
        : `"ago" does not exist: write age(a) > duration("${written}")`;
    return { message, offset: start };
  }
  const size = /^(?:[KMGT]B|percent)\b/i.exec(rest)?.[0];
  if (size !== undefined && count !== undefined)
    return { message: `a number has no unit: write ${count}`, offset: start };
  if (rest.startsWith('=>') || (rest.startsWith('>') && before.endsWith('-')))
    return {
      message: 'write a comma instead of the arrow, such as apps.exists(a, a.name == "Zoom")',
      offset: start,
    };
  if (rest.startsWith('=~') || /^=\s*~/.test(rest))
    return { message: 'unexpected "=~": write a.matches("…")', offset: start };
  if (rest.startsWith('=') && before.endsWith('!='))
    return { message: 'unexpected "!==": write !=', offset: start - 2 };
  if (rest.startsWith('=') && before.endsWith('=='))
    return { message: 'unexpected "===": write ==', offset: start - 2 };
  const is = /^is\s+(not\s+)?(null|none|nil)?\b/i.exec(rest);
  if (is !== null) {
    const operator = is[1] === undefined ? '==' : '!=';
    return {
      message: `unexpected "is": write ${operator}${is[2] === undefined ? '' : ' null'}`,
      offset: start,
    };
  }
  if (/^not\s+in\b/i.test(rest)) return { message: 'unexpected "not in": write !(a in […])', offset: start };
  if (/\bin\s+(?:"[^"]*"|'[^']*'|[\w.]+)\s*$/.test(before) && rest.startsWith(','))
    return { message: 'a list needs brackets: write in ["a", "b"]', offset: start };
  const filter = /^\|\s*(\w+)/.exec(rest)?.[1];
  if (filter !== undefined && FILTERS.has(filter))
    return {
      message: 'filters work in templates only: write a.lowerAscii(), or another function of conditions',
      offset: start,
    };
  return undefined;
}

const FILTERS = new Set([
  'downcase',
  'upcase',
  'default',
  'lower',
  'upper',
  'size',
  'strip',
  'append',
  'split',
  'date',
]);

function explainUnexpected(text: string, start: number): ExpressionProblem {
  const rest = text.slice(start);
  if (rest.trim() === '') {
    const percent = /(\d+)\s*%\s*$/.exec(text)?.[1];
    return problem(
      percent === undefined
        ? 'the expression ends too early'
        : `a number has no unit: write ${percent} without %`,
      start,
    );
  }
  const before = /\b(not)\s+$/i.exec(text.slice(0, start));
  if (before !== null) {
    return problem(`unexpected "${before[1] ?? ''}": ${WORDS['not'] ?? ''}`, before.index);
  }
  const found = otherLanguage(text, start);
  if (found !== undefined) return problem(found.message, found.offset);
  if (/^[^\S ]/.test(rest)) {
    return problem('this is a no-break space or another special space: write a plain space', start);
  }
  const word = /^\w+/.exec(rest)?.[0];
  const character = rest[0] ?? '';
  if (character === '>' && text[start - 1] === '<') return problem('unexpected "<>": write !=', start - 1);
  const unexpected = word ?? character;
  const hint = word === undefined ? CHARACTERS[character] : WORDS[word.toLowerCase()];
  return problem(
    `unexpected "${unexpected}": ${hint ?? 'an operator such as && or == may be missing before it'}`,
    start,
  );
}
