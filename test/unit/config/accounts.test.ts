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
  test('without a file, the settings define the default account', () => {
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

  test('outside production the token is optional', () => {
    expect(readAccounts(settings({}), {}, BOTH).get('default')?.webhookTokens).toEqual([]);
  });
});

describe('a file of accounts', () => {
  test('keys and tokens are in the file or in the environment', () => {
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

  test('a separate receiver needs no API keys and reads none', () => {
    const found = accounts(TWO, { ACME_TOKEN: TOKEN }, ['receiver']);
    expect([...found.values()].map((account) => account.apiKey)).toEqual([undefined, undefined]);
    expect(found.get('acme')?.webhookTokens).toEqual([TOKEN]);
  });

  test('a separate worker needs no webhook tokens and reads none', () => {
    const found = accounts(TWO, { ACME_KEY: 'acme-key' }, ['worker']);
    expect([...found.values()].map((account) => account.webhookTokens)).toEqual([[], []]);
    expect(found.get('acme')?.apiKey).toBe('acme-key');
  });

  test.each<[Role, string]>([
    ['receiver', `webhook_token: ${TOKEN}`],
    ['worker', 'api_key: key'],
  ])('the file for a separate %s may omit the secrets of the other role', (role, line) => {
    expect(lines(`accounts:\n  acme:\n    ${line}\n`, {}, [role])).toEqual([]);
  });
});

describe('a bad file', () => {
  const at = (where: string): string => `ACCOUNTS_FILE ${file}: ${where}`;
  const CODE = ' [settings/accounts-file]';

  test('a missing variable is reported by name, for the role that needs it', () => {
    expect(lines(TWO, { ACME_TOKEN: TOKEN })).toEqual([
      at(`accounts.acme.api_key: the environment variable ACME_KEY is not set${CODE}`),
    ]);
    expect(lines(TWO, {})).toHaveLength(2);
  });

  test.each<[string, string, RegExp]>([
    ['an empty key', 'api_key: ""', /^accounts\.acme\.api_key: /],
    [
      'a key that is a number',
      'api_key: 5',
      /^accounts\.acme\.api_key: expected a text \[settings\/accounts-file\]$/,
    ],
    ['a token too short', 'webhook_token: short', /^accounts\.acme\.webhook_token/],
    [
      'a token with letters that a URL cannot hold',
      `webhook_token: ${TOKEN}/x`,
      /^accounts\.acme\.webhook_token/,
    ],
    ['a bad base URL', 'base_url: nowhere', /^accounts\.acme\.base_url: /],
    ['an unknown key', 'apikey: x', /^accounts\.acme: unknown key "apikey" \[settings\/accounts-file\]$/],
  ])('%s', (_what, line, expected) => {
    const name = line.split(':')[0] ?? '';
    const others = [`api_key: key`, `webhook_token: ${TOKEN}`].filter((other) => !other.startsWith(name));
    const problems = lines(`accounts:\n  acme:\n    ${[line, ...others].join('\n    ')}\n`);
    // A token may violate two rules.
    expect(problems.length).toBeGreaterThan(0);
    for (const found of problems) expect(found.slice(at('').length)).toMatch(expected);
  });

  test('an invalid account name says what a name may hold', () => {
    const problems = lines(`accounts:\n  Acme Inc:\n    api_key: key\n    webhook_token: ${TOKEN}\n`);
    expect(problems).toEqual([
      at(`accounts.Acme Inc: an account name holds lowercase letters, digits and hyphens${CODE}`),
    ]);
  });

  test.each(['', '- acme\n', 'hello\n', 'accounts:\n', 'foo: 1\n'])(
    '%j: each line names the file, without an empty field',
    (text) => {
      const problems = lines(text);
      expect(problems.length).toBeGreaterThan(0);
      for (const line of problems) {
        expect(line.startsWith(at(''))).toBe(true);
        expect(line).not.toContain(': : ');
      }
    },
  );

  test('a file without accounts is rejected', () => {
    expect(lines('accounts: {}\n')).toHaveLength(1);
  });

  test('a missing file', () => {
    expect(() => readAccounts(settings({ ACCOUNTS_FILE: join(folder, 'none.yaml') }), {}, BOTH)).toThrow(
      /^ACCOUNTS_FILE .*none\.yaml: ENOENT.*expected a YAML file with "accounts:" \[settings\/accounts-file\]$/,
    );
  });

  // The file may hold keys, and the YAML parser quotes lines.
  test.each([
    ['api_key: super-secret-4711: x'],
    ['api_key: "super-secret-4711'],
    ['api_key: super-secret-4711\n    api_key: super-secret-4711'],
    ['api_key: super-secret-4711\n   webhook_token: x'],
    ['api_key: *super-secret-4711'],
    ['api_key: [super-secret-4711'],
    ['api_key: {super-secret-4711: 1}'],
    ['webhook_token: super-secret-4711/'],
  ])('%j: the message is one line and holds no secret', (line) => {
    const problems = lines(`accounts:\n  acme:\n    ${line}\n`);
    expect(problems.length).toBeGreaterThan(0);
    for (const found of problems) {
      expect(found).not.toContain('\n');
      expect(found).not.toContain('super-secret-4711');
    }
  });
});
