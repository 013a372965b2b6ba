import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRedaction, redactJson } from '../../../src/telemetry/redaction.js';

const MASK = '[redacted]';
// A secret that is part of the mask would still show in the mask.
const inMask = (secret: string): boolean => MASK.includes(secret) || /^\]|\[$/.test(secret);
const visible = fc
  .string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 24 })
  .filter((secret) => !inMask(secret));
const anySecret = fc
  .string({ unit: 'binary', minLength: 6, maxLength: 24 })
  .filter((secret) => !inMask(secret));
const around = fc.string({ maxLength: 20 });

describe('a secret is masked', () => {
  const forms: readonly [string, (secret: string) => string][] = [
    ['as it is', (secret) => secret],
    ['URL-encoded', (secret) => encodeURIComponent(secret)],
    ['JSON-escaped', (secret) => JSON.stringify(secret).slice(1, -1)],
    ['as Basic credentials', (secret) => Buffer.from(`${secret}:`).toString('base64')],
  ];
  test.each(forms)('%s', (_how, form) => {
    fc.assert(
      fc.property(anySecret, around, around, (secret, before, after) => {
        const masked = createRedaction([secret]).redact(before + form(secret) + after);
        expect(masked).not.toContain(form(secret));
        expect(masked).not.toContain(secret);
        expect(masked).toContain(MASK);
      }),
    );
  });

  // URLSearchParams form-encodes query strings and bodies of API calls, and traces keep the path of a call.
  test('form-encoded, as in the query of an API call', () => {
    fc.assert(
      fc.property(visible, (secret) => {
        const query = new URLSearchParams({ search: secret }).toString();
        expect(createRedaction([secret]).redact(query)).toBe(`search=${MASK}`);
      }),
    );
  });

  test('in JSON inside JSON, as in a log line that quotes a body', () => {
    const secret = 'pass"word\\4711';
    const text = JSON.stringify({ message: JSON.stringify({ password: secret }) });
    const inner = JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1);
    expect(createRedaction([secret]).redact(text)).not.toContain(inner);
  });

  test('at every occurrence, and next to other secrets', () => {
    const { redact } = createRedaction(['first-secret', 'second-secret']);
    expect(redact('first-secret second-secret first-secretfirst-secret')).toBe(
      `${MASK} ${MASK} ${MASK}${MASK}`,
    );
  });

  test('completely, when it contains another secret', () => {
    for (const secrets of [
      ['secret', 'secret-of-many-words'],
      ['secret-of-many-words', 'secret'],
    ]) {
      expect(createRedaction(secrets).redact('x secret-of-many-words y secret')).toBe(`x ${MASK} y ${MASK}`);
    }
  });

  test('literally, not as a pattern', () => {
    const { redact } = createRedaction(['a.c+(d)[e]$^|\\']);
    expect(redact('a.c+(d)[e]$^|\\')).toBe(MASK);
    expect(redact('abc+(d)[e]$^|\\')).toBe('abc+(d)[e]$^|\\');
  });

  test('when the secret is added later', () => {
    const redaction = createRedaction([undefined]);
    const { redact } = redaction;
    expect(redact('late-secret')).toBe('late-secret');
    redaction.add(['late-secret', undefined]);
    expect(redact('late-secret')).toBe(MASK);
  });
});

describe('nothing else changes', () => {
  test('strings without a secret stay unchanged', () => {
    fc.assert(
      fc.property(anySecret, around, (secret, text) => {
        fc.pre(!text.includes(secret));
        expect(createRedaction([secret]).redact(text)).toBe(text);
      }),
    );
  });

  test('undefined values and values shorter than six characters are not masked', () => {
    const { redact } = createRedaction(['', 'short', undefined]);
    expect(redact('a short text')).toBe('a short text');
    expect(createRedaction([]).redact('anything')).toBe('anything');
    expect(createRedaction(['sixsix']).redact('a sixsix text')).toBe(`a ${MASK} text`);
  });
});

describe('redactJson', () => {
  test('masks in every string, including keys', () => {
    const { redact } = createRedaction(['the-secret', 'quo"ted\\secret']);
    expect(
      redactJson(redact, {
        a: ['x the-secret', { b: 'quo"ted\\secret', c: null, d: 5, e: true }],
        'the-secret': 1,
      }),
    ).toEqual({ a: [`x ${MASK}`, { b: MASK, c: null, d: 5, e: true }], [MASK]: 1 });
  });

  test('undefined becomes null', () => {
    expect(redactJson((text) => text, undefined)).toBeNull();
  });

  test('keeps JSON without secrets', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const masked = redactJson(createRedaction(['a-secret-that-is-not-there']).redact, value);
        expect(JSON.stringify(masked)).toBe(JSON.stringify(value));
      }),
    );
  });

  // A PIN from `${env:PIN}` next to a device id that contains it.
  test('a secret of digits does not break a number that contains it', () => {
    const { redact } = createRedaction(['123456']);
    expect(redactJson(redact, { pin: '123456', id: 1234567 })).toEqual({ pin: MASK, id: expect.anything() });
  });

  test('a secret that begins with the letter of an escape does not break the escape', () => {
    const { redact } = createRedaction(['nightly-key']);
    expect(redactJson(redact, 'a\nightly-key nightly-key')).toBe(`a\nightly-key ${MASK}`);
  });

  test('any secret and any JSON give JSON without the secret', () => {
    const value = (secret: string) =>
      fc.letrec<{ value: unknown }>((tie) => ({
        value: fc.oneof(
          { depthSize: 'small' },
          fc.string(),
          fc.integer(),
          fc.constant(null),
          fc.tuple(around, around).map(([a, b]) => a + secret + b),
          fc.array(tie('value'), { maxLength: 3 }),
          fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), { maxKeys: 3 }),
        ),
      })).value;
    fc.assert(
      fc.property(
        fc
          .oneof(
            anySecret,
            fc.stringMatching(/^[0-9]{6,8}$/),
            fc.stringMatching(/^[nrtu]\w{5,8}$/),
            fc.constantFrom('":null,', '"},{":', 'null,null'),
          )
          .chain((secret) => fc.tuple(fc.constant(secret), value(secret))),
        ([secret, found]) => {
          const masked = redactJson(createRedaction([secret]).redact, found);
          const texts: string[] = [];
          JSON.stringify(masked, (_key, inner: unknown) => {
            if (typeof inner === 'string') texts.push(inner);
            return inner;
          });
          expect(texts.filter((text) => text.includes(secret))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
