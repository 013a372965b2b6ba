import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OperatorError } from '../../../src/config/operator-error.js';
import { isProduction, readSettings, settingWarnings } from '../../../src/config/settings.js';
import type { Role } from '../../../src/config/settings.js';

const KEY = { SIMPLEMDM_API_KEY: 'key-of-the-account' };
const TOKEN = 'a-token-of-enough-letters';
const BOTH: readonly Role[] = ['receiver', 'worker'];

/** The lines that stop the start; empty when the settings are valid. */
function lines(env: NodeJS.ProcessEnv, roles: readonly Role[] = BOTH): readonly string[] {
  try {
    readSettings(env, roles);
    return [];
  } catch (error) {
    if (error instanceof OperatorError) return error.lines;
    throw error;
  }
}

describe('an invalid value: its name, the value, what is expected', () => {
  const whole = (from: number, to: number): string => `a whole number from ${from} to ${to}`;
  const TOKEN_LIST =
    'one or more comma-separated tokens, each of at least 16 letters, digits or ._~- (generate one with openssl rand -hex 24)';
  const ADMIN = 'a token of at least 16 characters without spaces (generate one with openssl rand -hex 24)';
  const URL_EXPECTED = 'an http(s) URL such as https://a.simplemdm.com/api/v1';
  const LEVELS = 'one of trace, debug, info, warn, error, fatal, silent';
  const PROXY =
    'the number of proxies in front of the service (1), or their addresses (loopback, 10.0.0.0/8)';
  test.each<[string, string, string]>([
    ['PORT', 'eighty', `"eighty", expected ${whole(0, 65_535)}`],
    ['PORT', '65536', `"65536", expected ${whole(0, 65_535)}`],
    ['PORT', '-1', `"-1", expected ${whole(0, 65_535)}`],
    ['PORT', '80.5', `"80.5", expected ${whole(0, 65_535)}`],
    ['PORT', '0x50', `"0x50", expected ${whole(0, 65_535)}`],
    [
      'SIMPLEMDM_API_KEY',
      'key with spaces',
      'a value of 15 characters, expected the API key from SimpleMDM (Settings, API) without spaces',
    ],
    ['SIMPLEMDM_BASE_URL', 'a.simplemdm.com', `"a.simplemdm.com", expected ${URL_EXPECTED}`],
    ['SIMPLEMDM_BASE_URL', 'ftp://x/api/v1', `"ftp://x/api/v1", expected ${URL_EXPECTED}`],
    ['WEBHOOK_TOKEN', 'short', `a value of 5 characters, expected ${TOKEN_LIST}`],
    ['WEBHOOK_TOKEN', `${TOKEN},short`, `a value of 31 characters, expected ${TOKEN_LIST}`],
    ['WEBHOOK_TOKEN', `${TOKEN}/${TOKEN}`, `a value of 51 characters, expected ${TOKEN_LIST}`],
    ['WEBHOOK_TOKEN', ' , ', `a value of 1 characters, expected ${TOKEN_LIST}`],
    [
      'WEBHOOK_TOKEN_HEADER',
      'X Token',
      `"X Token", expected the name of a request header, such as X-Webhook-Token`,
    ],
    ['ADMIN_TOKEN', 'short', `a value of 5 characters, expected ${ADMIN}`],
    ['ADMIN_TOKEN', 'sixteen letters and a space', `a value of 27 characters, expected ${ADMIN}`],
    ['LOG_LEVEL', 'loud', `"loud", expected ${LEVELS}`],
    ['TRUST_PROXY', 'everyone!', `"everyone!", expected ${PROXY}`],
    ['REDIS_SHARDS', '0', `"0", expected ${whole(1, 256)}`],
    ['REPEAT_WINDOW_DAYS', '0', `"0", expected ${whole(1, 365)}`],
    ['KEEP_EVENTS', '0', `"0", expected ${whole(1, 100_000_000)}`],
    ['KEEP_EVENTS_MB', '2gb', `"2gb", expected ${whole(1, 1_000_000)}`],
    ['DEAD_LETTER_DAYS', '3651', `"3651", expected ${whole(1, 3650)}`],
    ['WORKER_CONCURRENCY', '1.5', `"1.5", expected ${whole(1, 1000)}`],
    ['JOB_LOCK_MS', '999', `"999", expected ${whole(1000, 600_000)}`],
    ['API_RATE', '0', `"0", expected ${whole(1, 1000)}`],
    ['API_TIMEOUT_MS', '99', `"99", expected ${whole(100, 600_000)}`],
    ['RETRY_ATTEMPTS', 'many', `"many", expected ${whole(1, 1000)}`],
    ['RETRY_BASE_MS', '1e3', `"1e3", expected ${whole(1, 3_600_000)}`],
    ['RETRY_MAX_MS', '9'.repeat(30), `"${'9'.repeat(30)}", expected ${whole(1, 86_400_000)}`],
  ])('%s=%s', (name, value, expected) => {
    expect(lines({ ...KEY, [name]: value })).toEqual([`${name}: found ${expected} [settings/invalid]`]);
  });

  test.each([
    ['http://user:geheim@redis', 'expected a URL such as redis://user:password@host:6379/0, '],
    ['redis+cluster://a,b/3', 'a Redis Cluster has no numbered databases'],
  ])('REDIS_URL=%s has a message of its own', (value, expected) => {
    const [line = ''] = lines({ ...KEY, REDIS_URL: value });
    expect(line).toContain(`REDIS_URL: ${expected}`);
    expect(line).toMatch(/\[settings\/invalid\]$/);
    expect(line).not.toContain('geheim');
  });

  test('all invalid values are reported together, one per line', () => {
    expect(
      lines({ ...KEY, PORT: 'x', LOG_LEVEL: 'y', RETRY_BASE_MS: 'z' }).map((line) => line.split(':')[0]),
    ).toEqual(['PORT', 'LOG_LEVEL', 'RETRY_BASE_MS']);
  });

  test('a secret is never shown, whatever is wrong with it', () => {
    const secret = fc.stringMatching(/^[a-z]{8,12}[ äé][a-z]{8,12}$/);
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom('SIMPLEMDM_API_KEY', 'WEBHOOK_TOKEN', 'ADMIN_TOKEN', 'REDIS_URL'),
        (value, name) => {
          const problems = lines({ ...KEY, [name]: value });
          expect(problems).toHaveLength(1);
          expect(problems.join()).not.toContain(value);
          for (const word of value.split(/[ äé]/)) expect(problems.join()).not.toContain(word);
        },
      ),
    );
  });
});

describe('defaults and parsing', () => {
  test('a setting that is not set has the documented default', () => {
    expect(readSettings(KEY, BOTH)).toEqual({
      ...KEY,
      PORT: 8080,
      HOST: '127.0.0.1',
      REDIS_SHARDS: 8,
      DATA_DIR: resolve('./data'),
      SIMPLEMDM_BASE_URL: 'https://a.simplemdm.com/api/v1',
      WEBHOOK_TOKEN_HEADER: 'X-Webhook-Token',
      RULES_PATH: resolve('./rules'),
      LOG_LEVEL: 'info',
      REPEAT_WINDOW_DAYS: 7,
      DEAD_LETTER_DAYS: 90,
      KEEP_EVENTS: 500_000,
      KEEP_EVENTS_MB: 2048,
      READ_ONLY: false,
      WORKER_CONCURRENCY: 256,
      JOB_LOCK_MS: 10_000,
      API_TIMEOUT_MS: 30_000,
      API_RATE: 10,
      CHECK_REFERENCES: true,
      RETRY_ATTEMPTS: 100,
      RETRY_BASE_MS: 1000,
      RETRY_MAX_MS: 900_000,
      INVENTORY_LOOKS_MS: [15_000, 30_000, 60_000, 120_000, 300_000],
    });
  });

  test('an empty or blank variable counts as not set', () => {
    const names = [
      'PORT',
      'HOST',
      'REDIS_URL',
      'DATA_DIR',
      'WEBHOOK_TOKEN',
      'ADMIN_TOKEN',
      'LOG_LEVEL',
      'ACCOUNTS_FILE',
    ];
    for (const empty of ['', '  ', '\t\n']) {
      const env = { ...KEY, ...Object.fromEntries(names.map((name) => [name, empty])) };
      expect(readSettings(env, BOTH)).toEqual(readSettings(KEY, BOTH));
    }
    expect(lines({ SIMPLEMDM_API_KEY: ' ' })).toEqual([
      'SIMPLEMDM_API_KEY: not set; expected the API key from SimpleMDM (Settings, API) [settings/missing]',
    ]);
  });

  test.each([
    ['PORT', '0', 0],
    ['PORT', ' 9000 ', 9000],
    ['REDIS_URL', 'rediss://:pw@redis:6380/1', 'rediss://:pw@redis:6380/1'],
    ['SIMPLEMDM_BASE_URL', 'http://127.0.0.1:4000/api/v1//', 'http://127.0.0.1:4000/api/v1'],
    ['DATA_DIR', 'somewhere', resolve('somewhere')],
    ['RULES_PATH', '/etc/rules', '/etc/rules'],
    ['TRUST_PROXY', 'loopback, 10.0.0.0/8', 'loopback, 10.0.0.0/8'],
    ['WEBHOOK_TOKEN', TOKEN, [TOKEN]],
    ['WEBHOOK_TOKEN', ` ${TOKEN} , ${TOKEN}2,`, [TOKEN, `${TOKEN}2`]],
  ])('%s=%s', (name, value, expected) => {
    expect(readSettings({ ...KEY, [name]: value }, BOTH)).toHaveProperty([name], expected);
  });

  test('other variables are ignored', () => {
    expect(readSettings({ ...KEY, PATH: '/bin', constructor: 'x' }, BOTH)).toEqual(readSettings(KEY, BOTH));
  });
});

describe('what each role needs', () => {
  const NO_KEY = 'SIMPLEMDM_API_KEY: not set; expected the API key from SimpleMDM (Settings, API)';
  const NO_WEBHOOK_TOKEN =
    'WEBHOOK_TOKEN: not set; required with NODE_ENV=production, or anybody could post webhooks';
  const NO_ADMIN_TOKEN =
    'ADMIN_TOKEN: not set; required with NODE_ENV=production, or anybody could read and replay events and release held rules';
  const noRedis = (role: Role): string =>
    `REDIS_URL: not set; a separate ${role} shares its queues through Redis: set it, or run everything in one process with "mdm-reflex serve"`;
  const PRODUCTION = { NODE_ENV: 'production' };
  const REDIS = { REDIS_URL: 'redis://redis' };
  const FILE = { ACCOUNTS_FILE: 'accounts.yaml' };
  const TOKENS = { WEBHOOK_TOKEN: TOKEN, ADMIN_TOKEN: TOKEN };
  test.each<[string, NodeJS.ProcessEnv, readonly Role[], string[]]>([
    ['both', {}, BOTH, [NO_KEY]],
    ['both in production', PRODUCTION, BOTH, [NO_KEY, NO_WEBHOOK_TOKEN, NO_ADMIN_TOKEN]],
    ['both in production, all set', { ...PRODUCTION, ...KEY, ...TOKENS }, BOTH, []],
    ['both in production, several accounts', { ...PRODUCTION, ...FILE }, BOTH, [NO_ADMIN_TOKEN]],
    ['a separate receiver', {}, ['receiver'], [noRedis('receiver')]],
    ['a separate receiver with Redis', REDIS, ['receiver'], []],
    [
      'a separate receiver in production',
      { ...PRODUCTION, ...REDIS },
      ['receiver'],
      [NO_WEBHOOK_TOKEN, NO_ADMIN_TOKEN],
    ],
    ['a separate worker', {}, ['worker'], [NO_KEY, noRedis('worker')]],
    ['a separate worker in production needs no tokens', { ...PRODUCTION, ...REDIS, ...KEY }, ['worker'], []],
    ['a separate worker, several accounts', { ...REDIS, ...FILE }, ['worker'], []],
  ])('%s', (_what, env, roles, expected) => {
    expect(lines(env, roles)).toEqual(expected.map((line) => `${line} [settings/missing]`));
  });

  test.each([
    ['SIMPLEMDM_APIKEY', NO_KEY],
    ['SIMPLE_MDM_API_KEY', NO_KEY],
    ['WEBHOK_TOKEN', NO_WEBHOOK_TOKEN],
    ['admin_token', NO_ADMIN_TOKEN],
  ])('%s in the environment is reported as a misspelling', (name, line) => {
    expect(lines({ ...PRODUCTION, [name]: 'x' })).toContain(
      `${line}; is it misspelled as "${name}"? [settings/missing]`,
    );
  });

  test('another setting or an unrelated name is not', () => {
    expect(lines({ ...PRODUCTION, ...KEY, WEBHOOK_TOKEN: TOKEN, TOKEN: 'x', PATH: '/bin' })).toEqual([
      `${NO_ADMIN_TOKEN} [settings/missing]`,
    ]);
  });

  test('production requires the exact NODE_ENV', () => {
    expect(isProduction(readSettings({ ...KEY, ...TOKENS, ...PRODUCTION }, BOTH))).toBe(true);
    expect(isProduction(readSettings({ ...KEY, NODE_ENV: 'development' }, BOTH))).toBe(false);
    expect(isProduction(readSettings(KEY, BOTH))).toBe(false);
  });
});

describe('misspelled settings', () => {
  test.each([
    ['SIMPLEMDM_BASEURL', 'SIMPLEMDM_BASE_URL'],
    ['rules_path', 'RULES_PATH'],
    ['REPEAT_WINDOW_DAY', 'REPEAT_WINDOW_DAYS'],
  ])('%s is reported', (name, meant) => {
    expect(settingWarnings({ ...KEY, [name]: '1' })).toEqual([
      { code: 'settings/unknown', message: `${name}: unknown setting; did you mean ${meant}?` },
    ]);
  });

  test('common variables are not', () => {
    const usual = { HOME: '/root', HOSTNAME: 'web', USER: 'root', PATH: '/bin', PWD: '/', NODE_OPTIONS: '' };
    expect(settingWarnings({ ...KEY, ...usual })).toEqual([]);
  });

  test('a name that resembles a setting which is set is not', () => {
    expect(settingWarnings({ ...KEY, READ_ONLY: '1', READONLY: '1' })).toEqual([]);
  });

  test.each(['READ_OLNY', 'READONLY', 'read_only'])('%s stops the start', (name) => {
    expect(lines({ ...KEY, [name]: '1' })).toEqual([
      `${name}: unknown setting; did you mean READ_ONLY? [settings/unknown]`,
    ]);
  });
});
