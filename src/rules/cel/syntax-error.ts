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
      return problem(`${summary.replace(/^.*: (\w+)$/, '"$1"')} is a reserved word`, start);
    case 'limit_exceeded':
      return problem(
        `the expression is too long or nested too deeply (${summary.replace(/^Exceeded /, '')})`,
        start,
      );
    default:
      return undefined;
  }
}

function explainUnexpected(text: string, start: number): ExpressionProblem {
  const rest = text.slice(start);
  if (rest.trim() === '') return problem('the expression ends too early', start);
  const before = /\b(not)\s+$/i.exec(text.slice(0, start));
  if (before !== null) {
    return problem(`unexpected "${before[1] ?? ''}": ${WORDS['not'] ?? ''}`, before.index);
  }
  if (/^[^\S ]/.test(rest)) {
    return problem('this is a no-break space or another special space: write a plain space', start);
  }
  const word = /^\w+/.exec(rest)?.[0];
  const character = rest[0] ?? '';
  if (character === '>' && text[start - 1] === '<') return problem('unexpected "<>": write !=', start - 1);
  const found = word ?? character;
  const hint = word === undefined ? CHARACTERS[character] : WORDS[word.toLowerCase()];
  return problem(
    `unexpected "${found}": ${hint ?? 'an operator such as && or == may be missing before it'}`,
    start,
  );
}
