import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import addressparser from 'nodemailer/lib/addressparser';
import { helloName } from '../../../src/channels/hello-name.js';
import {
  asciiDomain,
  plainAddress,
  problemWithAddress,
  recipientsOf,
} from '../../../src/channels/recipients.js';

const DOMAINS = ['example.org', 'bücher.example'];

describe('an address from a rule', () => {
  test.each([
    ['ada@example.org', 'ada@example.org'],
    ['Ada.Lovelace+mdm@EXAMPLE.org', 'Ada.Lovelace+mdm@example.org'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['ada@xn--bcher-kva.example', 'ada@xn--bcher-kva.example'],
    ["o'hara@example.org", "o'hara@example.org"],
  ])('%s is sent to', (text, address) => {
    expect(plainAddress(text)).toBe(address);
    expect(problemWithAddress(text, DOMAINS)).toBeUndefined();
  });

  test.each([
    ['a display name', 'Ada <ada@example.org>'],
    ['a display name that looks like an address', '"eve@evil.example" <ada@example.org>'],
    ['two addresses', 'ada@example.org, eve@evil.example'],
    ['two addresses, the allowed one last', 'eve@evil.example,ada@example.org'],
    ['two addresses with a semicolon', 'eve@evil.example;ada@example.org'],
    ['two addresses with a space', 'eve@evil.example ada@example.org'],
    ['two at signs', 'eve@evil.example@example.org'],
    ['a line break and a header', 'ada@example.org\r\nBcc: eve@evil.example'],
    ['a line feed in the middle', 'ada\n@example.org'],
    ['a null character', 'ada\u0000@example.org'],
    ['a quoted local part', '"eve@evil.example,"@example.org'],
    ['a quoted local part with spaces', '"a b"@example.org'],
    ['a comment', 'ada(comment)@example.org'],
    ['a comment in the domain', 'ada@(x)example.org'],
    ['a group', 'team:ada@example.org;'],
    ['a source route', '@evil.example:ada@example.org'],
    ['a percent route', 'eve%evil.example@example.org'],
    ['a bang path', 'evil.example!eve@example.org'],
    ['an address literal', 'eve@[192.0.2.1]'],
    ['an IP address', 'eve@192.0.2.1'],
    ['a domain without a dot', 'root@localhost'],
    ['no local part', '@example.org'],
    ['no domain', 'ada@'],
    ['no at sign', 'example.org'],
    ['a leading dot', '.ada@example.org'],
    ['a letter outside of ASCII before the at sign', 'adá@example.org'],
    ['a zero-width space before the at sign', 'ada\u200b@example.org'],
    ['a percent-encoded domain', 'ada@%65xample.org'],
    ['a path behind the domain', 'ada@example.org/evil.example'],
    ['a long local part', `${'a'.repeat(65)}@example.org`],
    ['mailto:', 'mailto:ada@example.org'],
  ])('%s is no plain address', (_case, text) => {
    expect(plainAddress(text)).toBeUndefined();
    expect(problemWithAddress(text, DOMAINS)).toBe('is no plain e-mail address');
  });

  test.each([
    ['a subdomain', 'ada@mail.example.org'],
    ['a domain that ends like an allowed one', 'ada@evil-example.org'],
    ['an allowed domain as a subdomain', 'ada@example.org.evil.example'],
    ['a Cyrillic letter that looks like a Latin one', 'ada@ex\u0430mple.org'],
  ])('%s is outside of the domains', (_case, text) => {
    expect(problemWithAddress(text, DOMAINS)).toMatch(
      /^is outside of to_domains \(example\.org, bücher\.example\)$/,
    );
  });

  test('full-width letters and zero-width spaces are the domain that they stand for', () => {
    expect(plainAddress('ada@ｅｘａｍｐｌｅ．ｏｒｇ')).toBe('ada@example.org');
    expect(plainAddress('ada@example.org\u200b')).toBe('ada@example.org');
  });

  test('for any text, the mail library reads exactly one address of an allowed domain', () => {
    const parts = fc.constantFrom(
      'ada',
      '@',
      'example.org',
      'evil.example',
      ',',
      ';',
      '<',
      '>',
      '"',
      ' ',
      '\n',
      '\r',
      '(',
      ')',
      ':',
      '\\',
      '.',
      '%',
      'é',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 9 }), (pieces) => {
        const text = pieces.join('');
        if (problemWithAddress(text, ['example.org']) !== undefined) return;
        const address = plainAddress(text) ?? '';
        expect(addressparser(address)).toEqual([{ name: '', address }]);
        expect(address).toMatch(/^[^@\s,;<>"]+@example\.org$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the recipients of a message', () => {
  const channel = { to: ['it@example.org'], to_domains: ['example.org'] };

  test('are those of the channel when the rule names none', () => {
    expect(recipientsOf(undefined, channel)).toEqual({
      to: ['it@example.org'],
      refused: [],
      isFallback: false,
    });
  });

  test('are those of the rule that the channel allows, each once', () => {
    expect(recipientsOf(['ada@example.org', 'ada@EXAMPLE.ORG', 'eve@evil.example'], channel)).toEqual({
      to: ['ada@example.org'],
      refused: ['"eve@evil.example", which is outside of to_domains (example.org)'],
      isFallback: false,
    });
  });

  test.each([[['eve@evil.example']], [['']], [['a@example.org, b@evil.example']], [[]]])(
    'are those of the channel when none of %j is left: somebody is told',
    (named) => {
      expect(recipientsOf(named, channel)).toMatchObject({ to: ['it@example.org'], isFallback: true });
    },
  );

  test('are those of the channel when it has lost its domains since the rule was loaded', () => {
    expect(recipientsOf(['ada@example.org'], { ...channel, to_domains: [] })).toEqual({
      to: ['it@example.org'],
      refused: ['"ada@example.org", which is outside of to_domains (none)'],
      isFallback: true,
    });
  });
});

test.each(['example.org/x', 'example.org:25', 'a b.org', '', 'x', '-a.org', '1.2.3.4', 'exa_mple.org'])(
  '%j is no domain',
  (text) => expect(asciiDomain(text)).toBeUndefined(),
);

test.each([
  ['mail.example.org', 'https://reflex.example.org', 'mail.example.org'],
  [undefined, 'https://reflex.example.org:8443/path', 'reflex.example.org'],
  [undefined, 'http://192.0.2.7:3000', '[192.0.2.7]'],
  [undefined, 'http://[2001:db8::1]:3000', '[IPv6:2001:db8::1]'],
  [undefined, 'http://localhost:3000', undefined],
  [undefined, 'not a url', undefined],
  [undefined, undefined, undefined],
])('the name in EHLO for hello: %s and PUBLIC_URL=%s is %s', (setting, publicUrl, name) => {
  expect(helloName(setting, publicUrl)).toBe(name);
});
