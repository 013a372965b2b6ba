import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maskSecrets, unmask } from '../../../src/actions/answer-secrets.js';

const mask = (value: unknown, names: string[] = [], known: string[] = []): unknown =>
  maskSecrets(value, names, known).value;

describe('maskSecrets', () => {
  test.each([
    'access_token',
    'accessToken',
    'Access-Token',
    'ACCESS_TOKEN',
    'refreshToken',
    'idToken',
    'password',
    'Secret',
    'client_secret',
    'clientSecret',
    'apiKey',
    'API-Key',
  ])('the field %s is secret in every answer', (name) => {
    expect(mask({ deep: [{ [name]: 'abc123xyz', other: 'x' }] })).toEqual({
      deep: [{ [name]: '[redacted]', other: 'x' }],
    });
  });

  test('more names, numbers, lists and records below a name; null and booleans say nothing', () => {
    const value = {
      pin: 4711,
      session_id: 'abcdefgh',
      secret: { parts: ['one-two', 'three-four'], count: 2 },
      password: null,
      api_key: true,
      refresh_token: '',
    };
    expect(mask(value, ['PIN', 'sessionId'])).toEqual({
      pin: '[redacted]',
      session_id: '[redacted]',
      secret: { parts: ['[redacted]', '[redacted]'], count: '[redacted]' },
      password: null,
      api_key: true,
      refresh_token: '',
    });
  });

  test.each([
    ['access_token=abc123&scope=x&token_type=bearer', 'access_token=[redacted]&scope=x&token_type=bearer'],
    ['{"access_token": "a\\"b", "n": 1', '{"access_token": "[redacted]", "n": 1'],
    ["client-secret: 's3cr3t value';", "client-secret: '[redacted]';"],
    ['Password = hunter2, user = x', 'Password = [redacted], user = x'],
    ['no secret here: token', 'no secret here: token'],
    ['my_password=x', 'my_password=x'],
    ['<input name="password" type="text">', '<input name="password" type="text">'],
  ])('in a text: %s', (text, shown) => {
    expect(mask({ body: text })).toEqual({ body: shown });
  });

  test('the same value again is masked under any name, and so are known secrets', () => {
    const value = { access_token: 'abc123xyz', link: 'https://x/?t=abc123xyz', other: ['known-secret!'] };
    expect(mask(value, [], ['known-secret'])).toEqual({
      access_token: '[redacted]',
      link: 'https://x/?t=[redacted]',
      other: ['[redacted]!'],
    });
  });

  test('a secret number again is masked as well', () => {
    const value = { api_key: 12345678, echo: { key: 12345678, text: 'key 12345678', other: 12345679 } };
    expect(mask(value)).toEqual({
      api_key: '[redacted]',
      echo: { key: '[redacted]', text: 'key [redacted]', other: 12345679 },
    });
  });

  // An answer is read up to its first 16,384 characters, wherever that is.
  test.each([
    ['within the value', '{"n": 1, "access_token": "eyJhbGciOiJ', '{"n": 1, "access_token": "[redacted]"'],
    ['within an escape', '{"password": "a\\u00', '{"password": "[redacted]"'],
    ['after a list', '{"secret": ["one-1", 22], "x": [', '{"secret": ["[redacted]", [redacted]], "x": ['],
    [
      'after a record',
      '{"api_key": {"value": "abc", "on": true}, "x',
      '{"api_key": {"value": "[redacted]", "on": true}, "x',
    ],
    [
      'within JSON in a text',
      '{"log": "{\\"access_token\\":\\"abc1\\",\\"n\\":1}", "x": "{\\"password\\":\\"de',
      '{"log": "{\\"access_token\\":\\"[redacted]\\",\\"n\\":1}", "x": "{\\"password\\":\\"[redacted]\\""',
    ],
    [
      'after escaped JSON',
      'body={\\"access_token\\":\\"abc1\\"}',
      'body={\\"access_token\\":\\"[redacted]\\"}',
    ],
    ['within quotes', "x; password: 's3cr3t va", "x; password: '[redacted]'"],
  ])('in JSON that is cut off %s', (_place, text, shown) => {
    expect(mask({ body: text })).toEqual({ body: shown });
  });

  test('a long answer that is cut off within a secret that occurred before', () => {
    const text = `{"access_token": "tok-4711-secret", "pad": "${'x'.repeat(16_384)}`.slice(0, 16_372);
    const { value } = maskSecrets({ body: `${text}"tok-4711-se` }, []);
    expect(JSON.stringify(value)).not.toContain('tok-4711');
    expect(JSON.stringify(value)).toMatch(/x\\"\[redacted\]"\}$/);
  });

  test('JSON that is cut off anywhere never shows the secret, nor a part of it', () => {
    const value = fc.stringMatching(/^[A-Z"\\\n]{8,12}$/);
    fc.assert(
      fc.property(value, fc.nat(), (secret, at) => {
        const text = JSON.stringify({ n: 1.5, list: [{ password: secret, x: [null] }], more: 'after' });
        const cut = text.slice(0, at % text.length);
        expect(JSON.stringify(mask({ body: cut }))).not.toMatch(/[A-Z]/);
      }),
    );
  });

  test('a short value is masked in its place only', () => {
    expect(mask({ password: 'abc', text: 'abcdef' })).toEqual({ password: '[redacted]', text: 'abcdef' });
  });

  test('unmask restores any JSON; what is masked holds no secret', () => {
    const secret = fc.stringMatching(/^[a-zA-Z0-9+/"\\ ]{8,20}$/);
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string(), fc.integer(), fc.constantFrom(null, true), fc.constant('[redacted]')),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'password', 'access_token', 'mine', '0'), tie('value'), {
          noNullPrototype: true,
        }),
      ),
    })).value;
    fc.assert(
      fc.property(tree, secret, (value, hidden) => {
        const whole = { before: `x${hidden}y`, value, inner: { mine: hidden }, list: [hidden] };
        const { value: shown, masked } = maskSecrets(whole, ['mine']);
        expect(JSON.stringify(shown)).not.toContain(JSON.stringify(hidden).slice(1, -1));
        expect(unmask(shown, JSON.parse(JSON.stringify(masked)))).toEqual(whole);
      }),
    );
  });

  test('a place that does not exist any more is passed over', () => {
    const { masked } = maskSecrets({ json: { access_token: 'abcdefgh' }, list: [{ password: 'x' }] }, []);
    expect(unmask({ json: null, list: [] }, masked)).toEqual({ json: null, list: [] });
  });

  test('a hostile text takes linear time', () => {
    const text = `${'password'.repeat(1000)}${' '.repeat(5000)}${'"\\'.repeat(5000)}access_token="${'\\'.repeat(9001)}`;
    expect(typeof mask(text)).toBe('string');
  });
});
