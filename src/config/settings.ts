import { distance } from 'fastest-levenshtein';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { UserProblem } from '../errors/user-problem.js';
import { didYouMean } from '../errors/did-you-mean.js';
import { OperatorError } from './operator-error.js';
import { REDIS_URL_FORMS, RedisUrlError, parseRedisUrl } from './redis-url.js';
import './zod-messages.js';

/** What a process does: it receives webhooks, works on the queues, or both. */
export type Role = 'receiver' | 'worker';

const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .describe(`a whole number from ${minimum} to ${maximum}`);

const MIN_TOKEN_LENGTH = 16;
const GENERATE_TOKEN = 'generate one with openssl rand -hex 24';
const token = () =>
  z
    .string()
    .min(MIN_TOKEN_LENGTH)
    .regex(/^[\x21-\x7e]+$/)
    .describe(`a token of at least ${MIN_TOKEN_LENGTH} characters without spaces (${GENERATE_TOKEN})`);

/** The tokens that authenticate webhooks, comma-separated: the old and the new token are both valid during a rotation. */
export const webhookTokens = z
  .string()
  .transform((list) =>
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
  .pipe(z.array(token().regex(/^[A-Za-z0-9._~-]+$/)).min(1))
  .describe(
    `one or more comma-separated tokens, each of at least ${MIN_TOKEN_LENGTH} letters, digits or ._~- (${GENERATE_TOKEN})`,
  );

/** The base URL of the API, without a trailing slash. */
export const simpleMdmBaseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i.test(url))
  .transform((url) => url.replace(/\/+$/, ''))
  .describe('an http(s) URL such as https://a.simplemdm.com/api/v1');

/** A URL of Redis. Its mistakes have messages of their own: the value is a secret and cannot be quoted. */
const redisUrl = z
  .string()
  .superRefine((url, context) => {
    try {
      parseRedisUrl(url);
    } catch (error) {
      if (!(error instanceof RedisUrlError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  })
  .describe(REDIS_URL_FORMS);

const flag = z
  .enum(['0', '1', 'false', 'true'])
  .transform((value) => value === '1' || value === 'true')
  .describe('1 or 0');

/** Every setting: its environment variable, how it is parsed, its default. The settings reference follows this table. */
const variables = {
  NODE_ENV: z.string().optional(),
  PORT: wholeNumber(0, 65_535).default(8080),
  HOST: z.string().min(1).default('127.0.0.1').describe('an address to listen on'),
  REDIS_URL: redisUrl.optional(),
  REDIS_SHARDS: wholeNumber(1, 256).default(8),
  DATA_DIR: z
    .string()
    .min(1)
    .default('./data')
    .transform((path) => resolve(path))
    .describe('a folder'),
  SIMPLEMDM_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .describe('the API key from SimpleMDM (Settings, API) without spaces'),
  SIMPLEMDM_BASE_URL: simpleMdmBaseUrl.default('https://a.simplemdm.com/api/v1'),
  WEBHOOK_TOKEN: webhookTokens.optional(),
  WEBHOOK_TOKEN_HEADER: z
    .string()
    // RFC 9110, section 5.6.2: token.
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/)
    .default('X-Webhook-Token')
    .describe('the name of a request header, such as X-Webhook-Token'),
  ADMIN_TOKEN: token().optional(),
  RULES_PATH: z
    .string()
    .min(1)
    .default('./rules')
    .transform((path) => resolve(path))
    .describe('a rule file or a folder of rule files'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('one of trace, debug, info, warn, error, fatal, silent'),
  ACCOUNTS_FILE: z.string().min(1).optional().describe('a YAML file of accounts'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional()
    .describe('the http(s) URL of the console, for links in messages'),
  TRUST_PROXY: z
    .string()
    .regex(/^(\d{1,2}|true|false|[A-Za-z0-9.:/, ]+)$/)
    .optional()
    .describe('the number of proxies in front of the service (1), or their addresses (loopback, 10.0.0.0/8)'),
  REPEAT_WINDOW_DAYS: wholeNumber(1, 365).default(7),
  DEAD_LETTER_DAYS: wholeNumber(1, 3650).default(90),
  KEEP_EVENTS: wholeNumber(1, 100_000_000).default(500_000),
  KEEP_EVENTS_MB: wholeNumber(1, 1_000_000).default(2048),
  READ_ONLY: flag.default(false),
  CHECK_REFERENCES: flag.default(true),
  WORKER_CONCURRENCY: wholeNumber(1, 1000).default(256),
  JOB_LOCK_MS: wholeNumber(1000, 600_000).default(10_000),
  API_TIMEOUT_MS: wholeNumber(100, 600_000).default(30_000),
  API_RATE: wholeNumber(1, 1000).default(10),
  INVENTORY_LOOKS_MS: z
    .string()
    .regex(/^\d{1,8}(,\d{1,8}){0,19}$/)
    .transform((list) => list.split(',').map(Number))
    .default([15_000, 30_000, 60_000, 120_000, 300_000])
    .describe('the pauses between looks in milliseconds, such as 15000,30000,60000'),
  RETRY_ATTEMPTS: wholeNumber(1, 1000).default(100),
  RETRY_BASE_MS: wholeNumber(1, 3_600_000).default(1000),
  RETRY_MAX_MS: wholeNumber(1, 86_400_000).default(900_000),
};

const schema = z.object(variables);

/** The parsed settings, by the names of their environment variables. */
export type Settings = z.output<typeof schema>;

const SECRETS = new Set(['SIMPLEMDM_API_KEY', 'WEBHOOK_TOKEN', 'ADMIN_TOKEN', 'REDIS_URL']);

/** Whether a variable is a setting of the service. */
export function isSetting(name: string): boolean {
  return Object.hasOwn(variables, name);
}

/** Whether the value of a setting is a secret. */
export function isSecretSetting(name: string): boolean {
  return SECRETS.has(name);
}

/** Whether `NODE_ENV` is `production`. Then missing tokens stop the start. */
export function isProduction(settings: Settings): boolean {
  return settings.NODE_ENV === 'production';
}

/**
 * Reads the settings of a process from its environment. An empty variable counts as not set, as in Compose and Helm.
 *
 * @param env - The environment, with the `.env` file already loaded.
 * @param roles - The roles of the process. Only their settings are required.
 * @throws OperatorError with one problem per invalid setting: its name, the value (unless it is a secret), what is expected.
 */
export function readSettings(env: NodeJS.ProcessEnv, roles: readonly Role[]): Settings {
  const given = Object.fromEntries(
    Object.keys(variables).flatMap((name) => {
      const value = env[name]?.trim();
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  // Without READ_ONLY the service changes devices, which cannot be undone.
  const unsafe = misspelledSettings(env).filter(({ meant }) => meant === 'READ_ONLY');
  if (unsafe.length > 0) throw new OperatorError(unsafe.map(unknownSetting));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const issues = new Map(parsed.error.issues.map((issue) => [String(issue.path[0]), issue]));
    throw new OperatorError(
      [...issues].map(([name, { message }]) =>
        name === 'REDIS_URL'
          ? { code: 'settings/invalid', message: `${name}: ${message}` }
          : invalidSetting(name, given[name]),
      ),
    );
  }
  const missing = missingSettings(parsed.data, roles, Object.keys(env));
  if (missing.length > 0) throw new OperatorError(missing);
  return parsed.data;
}

/** A name in the environment that is probably a misspelled setting. */
interface MisspelledSetting {
  readonly name: string;
  readonly meant: string;
}

/** Shorter names resemble variables that every environment has: HOME is not HOST. */
const MIN_NAME_LENGTH = 8;
const MAX_DISTANCE = 2;

/** Names in the environment that resemble a setting which is not set. */
function misspelledSettings(env: NodeJS.ProcessEnv): MisspelledSetting[] {
  const settings = Object.keys(variables).filter(
    (name) => name.length >= MIN_NAME_LENGTH && (env[name] ?? '') === '',
  );
  return Object.keys(env).flatMap((name): MisspelledSetting[] => {
    if (name in variables) return [];
    const meant = settings.find((setting) => distance(name.toUpperCase(), setting) <= MAX_DISTANCE);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

function unknownSetting({ name, meant }: MisspelledSetting): UserProblem {
  return { code: 'settings/unknown', message: `${name}: unknown setting; did you mean ${meant}?` };
}

/** A warning for each variable that is probably a misspelled setting. */
export function settingWarnings(env: NodeJS.ProcessEnv): UserProblem[] {
  return misspelledSettings(env).map(unknownSetting);
}

function invalidSetting(name: string, value: string | undefined): UserProblem {
  const expected = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties?.[name];
  const description = typeof expected === 'object' ? expected.description : undefined;
  const text = value ?? '';
  const found = SECRETS.has(name) ? `a value of ${text.length} characters` : JSON.stringify(text);
  return {
    code: 'settings/invalid',
    message: `${name}: found ${found}, expected ${description ?? 'another value'}`,
  };
}

function missingSettings(
  settings: Settings,
  roles: readonly Role[],
  given: readonly string[],
): UserProblem[] {
  const problems: UserProblem[] = [];
  const require = (name: keyof Settings, why: string): void => {
    if (settings[name] !== undefined) return;
    const unknown = given.filter((candidate) => !(candidate in variables));
    const hint = didYouMean(name, unknown).replace('did you mean', 'is it misspelled as');
    problems.push({ code: 'settings/missing', message: `${name}: not set; ${why}${hint}` });
  };
  const severalAccounts = settings.ACCOUNTS_FILE !== undefined;
  if (roles.includes('worker') && !severalAccounts) {
    require('SIMPLEMDM_API_KEY', 'expected the API key from SimpleMDM (Settings, API)');
  }
  if (roles.includes('receiver') && isProduction(settings)) {
    if (!severalAccounts)
      require('WEBHOOK_TOKEN', 'required with NODE_ENV=production, or anybody could post webhooks');
    require('ADMIN_TOKEN', 'required with NODE_ENV=production, or anybody could read and replay events and release held rules');
  }
  if (roles.length === 1) {
    require('REDIS_URL', `a separate ${roles[0] ?? ''} shares its queues through Redis: set it, or run everything in one process with "mdm-reflex serve"`);
  }
  return problems;
}
