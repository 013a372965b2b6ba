import type { ExpressionProblem } from '../model/problem.js';

/** What the CEL library says of an error. */
export interface LibraryProblem {
  readonly code: unknown;
  readonly summary: string;
  /** Where the part of the expression begins that it is about. */
  readonly start: number;
}

/** What people write who know other languages, and how it is written here. */
const WORDS: Readonly<Record<string, string>> = {
  and: 'write && for it',
  or: 'write || for it',
  not: 'write ! for it',
  is: 'write == for it',
  equals: 'write == for it',
  like: 'write glob(a, "lab-*") for it',
  contains: 'write a.contains("…") for it',
  matches: 'write a.matches("…") for it',
  startswith: 'write a.startsWith("…") for it',
  endswith: 'write a.endsWith("…") for it',
};

const CHARACTERS: Readonly<Record<string, string>> = {
  '=': 'write == for "is the same", != for "is not the same"',
  '|': 'write || for "or"',
  '&': 'write && for "and"',
  '“': 'a text needs straight quotes: "…"',
  '”': 'a text needs straight quotes: "…"',
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

/** What keeps an expression from being one at all, in words for the author of a rule; undefined for problems of other kinds. */
export function syntaxProblem(
  { code, summary, start }: LibraryProblem,
  text: string,
): ExpressionProblem | undefined {
  switch (code) {
    case 'unexpected_character':
    case 'unexpected_token':
      return unexpected(text, start);
    case 'expected_token': {
      const [, wanted = '', found = ''] = /^Expected (\w+), got (\w+)/.exec(summary) ?? [];
      const place = found === 'EOF' ? 'before the end' : `and not ${TOKENS[found] ?? 'this'}`;
      return { message: `expected ${TOKENS[wanted] ?? wanted} here, ${place}`, offset: start };
    }
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { message: 'the quote is not closed', offset: start };
    case 'newline_in_string':
      return { message: 'a text in quotes does not go over the end of a line: write \\n', offset: start };
    case 'reserved_identifier':
      return { message: `${summary.replace(/^.*: (\w+)$/, '"$1"')} cannot be a name`, offset: start };
    case 'limit_exceeded':
      return {
        message: `the expression is too long or goes too deep (${summary.replace(/^Exceeded /, '')})`,
        offset: start,
      };
    default:
      return undefined;
  }
}

function unexpected(text: string, start: number): ExpressionProblem {
  const rest = text.slice(start);
  if (rest.trim() === '') return { message: 'something is missing at the end', offset: start };
  const before = /\b(not)\s+$/i.exec(text.slice(0, start));
  if (before !== null) {
    return { message: `"${before[1] ?? ''}" is not known: ${WORDS['not'] ?? ''}`, offset: before.index };
  }
  if (/^[^\S ]/.test(rest)) {
    return { message: 'this is a no-break space or another unusual one: write a plain space', offset: start };
  }
  const word = /^\w+/.exec(rest)?.[0];
  const character = rest[0] ?? '';
  if (character === '>' && text[start - 1] === '<') {
    return { message: '"<>" is not known: write != for it', offset: start - 1 };
  }
  const found = word ?? character;
  const hint = word === undefined ? CHARACTERS[character] : WORDS[word.toLowerCase()];
  return {
    message: `"${found}" is not expected here: ${hint ?? 'an operator such as && or == may be missing before it'}`,
    offset: start,
  };
}
