import { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'names and values',
  record: 'names and values',
  date: 'a time',
};

const FORMS: Readonly<Record<string, string>> = {
  url: 'an http(s) URL',
  email: 'an e-mail address',
  datetime: 'a time such as 2026-01-31T08:00:00Z',
};

/** The message of an issue when the schema has none of its own: the messages of the library are for programmers. */
function plainMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const expected = `expected ${TYPES[issue.expected] ?? 'another value'}`;
      return issue.input === undefined ? `missing; ${expected}` : expected;
    }
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `expected at least ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `expected at most ${amount(issue.maximum, issue.origin)}`;
    case 'invalid_format':
      return `expected ${FORMS[issue.format] ?? 'a text in another format'}`;
    default:
      return 'expected another value';
  }
}

function amount(bound: number | bigint, origin: string): string {
  const unit = origin === 'string' ? 'character' : origin === 'array' ? 'item' : undefined;
  return unit === undefined ? String(bound) : `${bound} ${Number(bound) === 1 ? unit : `${unit}s`}`;
}

z.config({ localeError: plainMessage });
