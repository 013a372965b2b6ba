import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readAccounts } from '../../../src/config/accounts.js';
import type { Account } from '../../../src/config/accounts.js';
import { OperatorError } from '../../../src/config/operator-error.js';
import { readSettings } from '../../../src/config/settings.js';
import type { Role, Settings } from '../../../src/config/settings.js';

const BOTH: readonly Role[] = ['receiver', 'worker'];
const TOKEN = 'a-token-of-enough-letters';
let folder = '';
let file = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdm-reflex-accounts-'));
  file = join(folder, 'accounts.yaml');
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function settings(env: NodeJS.ProcessEnv): Settings {
  return readSettings({ SIMPLEMDM_API_KEY: 'key', ...env }, BOTH);
}

function accounts(text: string, env: NodeJS.ProcessEnv = {}, roles = BOTH): ReadonlyMap<string, Account> {
  writeFileSync(file, text);
  return readAccounts(settings({ ACCOUNTS_FILE: file }), env, roles);
}

function lines(text: string, env: NodeJS.ProcessEnv = {}, roles = BOTH): readonly string[] {
  try {
    accounts(text, env, roles);
    return [];
  } catch (error) {
    if (error instanceof OperatorError) return error.lines;
    throw error;
  }
}

const TWO = `accounts:
  acme:
    api_key: "\${env:ACME_KEY}"
    webhook_token: "\${env:ACME_TOKEN}"
  beta-2:
    api_key: beta-key
    webhook_token: ${TOKEN}, ${TOKEN}-old
    base_url: http://127.0.0.1:4000/api/v1/
`;

describe('one account', () => {
  test('without a file there is the default account of the settings', () => {
    expect(readAccounts(settings({ WEBHOOK_TOKEN: TOKEN }), {}, BOTH)).toEqual(
      new Map([
        [
          'default',
          {
            name: 'default',
            apiKey: 'key',
            baseUrl: 'https://a.simplemdm.com/api/v1',
            webhookTokens: [TOKEN],
          },
        ],
      ]),
    );
  });

  test('outside production it may have no token', () => {
    expect(readAccounts(settings({}), {}, BOTH).get('default')?.webhookTokens).toEqual([]);
  });
});

describe('a file of accounts', () => {
  test('keys and tokens come from the environment or stand there', () => {
    expect([...accounts(TWO, { ACME_KEY: 'acme-key', ACME_TOKEN: TOKEN }).values()]).toEqual([
      {
        name: 'acme',
        apiKey: 'acme-key',
        baseUrl: 'https://a.simplemdm.com/api/v1',
        webhookTokens: [TOKEN],
      },
      {
        name: 'beta-2',
        apiKey: 'beta-key',
        baseUrl: 'http://127.0.0.1:4000/api/v1',
        webhookTokens: [TOKEN, `${TOKEN}-old`],
      },
    ]);
  });

  test('a receiver apart needs no API keys in its environment and gets none', () => {
    const found = accounts(TWO, { ACME_TOKEN: TOKEN }, ['receiver']);
    expect([...found.values()].map((account) => account.apiKey)).toEqual([undefined, undefined]);
    expect(found.get('acme')?.webhookTokens).toEqual([TOKEN]);
  });

  test('a worker apart needs no webhook tokens and gets none', () => {
    const found = accounts(TWO, { ACME_KEY: 'acme-key' }, ['worker']);
    expect([...found.values()].map((account) => account.webhookTokens)).toEqual([[], []]);
    expect(found.get('acme')?.apiKey).toBe('acme-key');
  });

  test.each<[Role, string]>([
    ['receiver', `webhook_token: ${TOKEN}`],
    ['worker', 'api_key: key'],
  ])('what a %s does not need may be left out of the file', (role, line) => {
    expect(lines(`accounts:\n  acme:\n    ${line}\n`, {}, [role])).toEqual([]);
  });
});

describe('a bad file', () => {
  const at = (where: string): string => `ACCOUNTS_FILE ${file}: ${where}`;

  test('a variable that is not set is told by name, for the role that needs it', () => {
    expect(lines(TWO, { ACME_TOKEN: TOKEN })).toEqual([
      at('accounts.acme.api_key: the environment variable ACME_KEY is not set'),
    ]);
    expect(lines(TWO, {})).toHaveLength(2);
  });

  test.each<[string, string, RegExp]>([
    ['an empty key', 'api_key: ""', /^accounts\.acme\.api_key: /],
    ['a key that is a number', 'api_key: 5', /^accounts\.acme\.api_key: expected a text$/],
    ['a token too short', 'webhook_token: short', /^accounts\.acme\.webhook_token/],
    [
      'a token with letters that a URL cannot hold',
      `webhook_token: ${TOKEN}/x`,
      /^accounts\.acme\.webhook_token/,
    ],
    ['a bad base URL', 'base_url: nowhere', /^accounts\.acme\.base_url: /],
    ['an unknown key', 'apikey: x', /^accounts\.acme: unknown key "apikey"$/],
  ])('%s', (_what, line, expected) => {
    const name = line.split(':')[0] ?? '';
    const others = [`api_key: key`, `webhook_token: ${TOKEN}`].filter((other) => !other.startsWith(name));
    const told = lines(`accounts:\n  acme:\n    ${[line, ...others].join('\n    ')}\n`);
    // Two rules about a token may both be broken.
    expect(told.length).toBeGreaterThan(0);
    for (const found of told) expect(found.slice(at('').length)).toMatch(expected);
  });

  test('a bad name of an account says what a name may be', () => {
    const told = lines(`accounts:\n  Acme Inc:\n    api_key: key\n    webhook_token: ${TOKEN}\n`);
    expect(told).toEqual([
      at('accounts.Acme Inc: an account is named with lower-case letters, digits and hyphens'),
    ]);
  });

  test.each(['', '- acme\n', 'hello\n', 'accounts:\n', 'foo: 1\n'])(
    '%j: each line says where, without an empty place',
    (text) => {
      const told = lines(text);
      expect(told.length).toBeGreaterThan(0);
      for (const line of told) {
        expect(line.startsWith(at(''))).toBe(true);
        expect(line).not.toContain(': : ');
      }
    },
  );

  test('a service without accounts is refused', () => {
    expect(lines('accounts: {}\n')).toHaveLength(1);
  });

  test('a file that is not there', () => {
    expect(() => readAccounts(settings({ ACCOUNTS_FILE: join(folder, 'none.yaml') }), {}, BOTH)).toThrow(
      /^ACCOUNTS_FILE .*none\.yaml: ENOENT.*expected a YAML file with "accounts:"$/,
    );
  });

  // The account file may hold keys: a parser that quotes the line quotes the key.
  test.each([
    ['api_key: super-secret-4711: x'],
    ['api_key: "super-secret-4711'],
    ['api_key: super-secret-4711\n    api_key: super-secret-4711'],
    ['api_key: super-secret-4711\n   webhook_token: x'],
    ['api_key: *super-secret-4711'],
    ['api_key: [super-secret-4711'],
    ['api_key: {super-secret-4711: 1}'],
    ['webhook_token: super-secret-4711/'],
  ])('%j: what is told is one line and holds no secret', (line) => {
    const told = lines(`accounts:\n  acme:\n    ${line}\n`);
    expect(told.length).toBeGreaterThan(0);
    for (const found of told) {
      expect(found).not.toContain('\n');
      expect(found).not.toContain('super-secret-4711');
    }
  });
});
