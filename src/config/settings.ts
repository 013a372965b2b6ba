import { distance } from 'fastest-levenshtein';
import { resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from './nearest-name.js';
import { OperatorError } from './operator-error.js';
import './zod-messages.js';

/** What a process does: take webhooks, work on the queues, or both. */
export type Role = 'receiver' | 'worker';

const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .describe(`a whole number from ${minimum} to ${maximum}`);

const SECRET_LENGTH = 16;
const secret = (what: string) =>
  z
    .string()
    .min(SECRET_LENGTH)
    .regex(/^[\x21-\x7e]+$/)
    .describe(
      `${what} of at least ${SECRET_LENGTH} characters without spaces (openssl rand -hex 24 makes one)`,
    );

/**
 * How SimpleMDM webhooks prove themselves: a comma-separated list, so that an old and a new token
 * are both good while the admin changes the URL in SimpleMDM.
 */
export const webhookTokens = z
  .string()
  .transform((list) =>
    list
      .split(',')
      .map((token) => token.trim())
      .filter((token) => token !== ''),
  )
  .pipe(z.array(secret('a token').regex(/^[A-Za-z0-9._~-]+$/)).min(1))
  .describe(
    `one or more tokens, separated by commas, each of at least ${SECRET_LENGTH} letters, digits or ._~- (openssl rand -hex 24 makes one)`,
  );

/** The API's base address, without a trailing slash. */
export const simpleMdmBaseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => /^https?:\/\/[^/?#@]+(\/[^?#]*)?$/i.test(url))
  .transform((url) => url.replace(/\/+$/, ''))
  .describe('an http(s) URL such as https://a.simplemdm.com/api/v1');

/** A password with a stray % in it cannot be read; written in a URL, % is %25. */
function hasReadablePassword(url: string): boolean {
  try {
    decodeURIComponent(new URL(url).password);
    return true;
  } catch {
    return false;
  }
}

/** A switch. */
const onOff = z
  .enum(['0', '1', 'false', 'true'])
  .transform((text) => text === '1' || text === 'true')
  .describe('1 or 0');

/** Every setting: the environment variable, how it is read, its default. The settings page of the docs follows this table. */
const variables = {
  NODE_ENV: z.string().optional(),
  PORT: wholeNumber(0, 65_535).default(8080),
  HOST: z.string().min(1).default('127.0.0.1').describe('an address to listen on'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .refine(hasReadablePassword)
    .optional()
    .describe('a redis:// or rediss:// URL'),
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
  ADMIN_TOKEN: secret('a token').optional(),
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
    .describe('the http(s) address by which people reach the console, for links in messages'),
  TRUST_PROXY: z
    .string()
    .regex(/^(\d{1,2}|true|false|[A-Za-z0-9.:/, ]+)$/)
    .optional()
    .describe('how many proxies stand in front (1), or their addresses (loopback, 10.0.0.0/8)'),
  REPEAT_WINDOW_DAYS: wholeNumber(1, 365).default(7),
  DEAD_LETTER_DAYS: wholeNumber(1, 3650).default(90),
  READ_ONLY: onOff.default(false),
  CHECK_REFERENCES: onOff.default(true),
  WORKER_CONCURRENCY: wholeNumber(1, 200).default(10),
  API_TIMEOUT_MS: wholeNumber(100, 600_000).default(30_000),
  API_RATE: wholeNumber(1, 1000).default(10),
  RETRY_ATTEMPTS: wholeNumber(1, 1000).default(100),
  RETRY_BASE_MS: wholeNumber(1, 3_600_000).default(1000),
  RETRY_MAX_MS: wholeNumber(1, 86_400_000).default(900_000),
};

const schema = z.object(variables);

/** The settings by their environment names, parsed. */
export type Settings = z.output<typeof schema>;

const SECRETS = new Set(['SIMPLEMDM_API_KEY', 'WEBHOOK_TOKEN', 'ADMIN_TOKEN', 'REDIS_URL']);

/** Whether the process is set up for production, where missing secrets stop the start. */
export function isProduction(settings: Settings): boolean {
  return settings.NODE_ENV === 'production';
}

/**
 * Reads the settings of a process from its environment. An empty variable counts as not set, as in Compose and Helm.
 *
 * @param env - The environment, a `.env` file already read into it.
 * @param roles - What the process will do: only what these roles need is required.
 * @throws OperatorError with one line per bad setting: its name, what was found (never a secret's value), what is expected.
 */
export function readSettings(env: NodeJS.ProcessEnv, roles: readonly Role[]): Settings {
  const given = Object.fromEntries(
    Object.keys(variables).flatMap((name) => {
      const value = env[name]?.trim();
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const unsafe = misspeltSettings(env).filter(({ meant }) => meant === 'READ_ONLY');
  if (unsafe.length > 0) throw new OperatorError(unsafe.map(misspeltInWords));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const names = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
    throw new OperatorError([...names].map((name) => badSetting(name, given[name])));
  }
  const missing = missingSettings(parsed.data, roles, Object.keys(env));
  if (missing.length > 0) throw new OperatorError(missing);
  return parsed.data;
}

/** A name of the environment that is probably meant as a setting. */
interface MisspeltSetting {
  readonly name: string;
  readonly meant: string;
}

/** Shorter names are too near to what any environment has: HOME is not HOST. */
const SHORTEST_TOLD = 8;
const MOST_WRONG = 2;

/** Names of the environment that nearly are a setting which is not set itself. */
function misspeltSettings(env: NodeJS.ProcessEnv): MisspeltSetting[] {
  const settings = Object.keys(variables).filter(
    (name) => name.length >= SHORTEST_TOLD && (env[name] ?? '') === '',
  );
  return Object.keys(env).flatMap((name): MisspeltSetting[] => {
    if (name in variables) return [];
    const meant = settings.find((setting) => distance(name.toUpperCase(), setting) <= MOST_WRONG);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

const misspeltInWords = ({ name, meant }: MisspeltSetting): string =>
  `${name} is no setting; did you mean ${meant}?`;

/** What the environment has that is probably meant as a setting and is none, in words. */
export function settingWarnings(env: NodeJS.ProcessEnv): string[] {
  return misspeltSettings(env).map(misspeltInWords);
}

function badSetting(name: string, value: string | undefined): string {
  const expected = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }).properties?.[name];
  const description = typeof expected === 'object' ? expected.description : undefined;
  const text = value ?? '';
  const found = SECRETS.has(name) ? `a value of ${text.length} characters` : JSON.stringify(text);
  return `${name}: found ${found}, expected ${description ?? 'another value'}`;
}

function missingSettings(settings: Settings, roles: readonly Role[], given: readonly string[]): string[] {
  const lines: string[] = [];
  const require = (name: keyof Settings, why: string): void => {
    if (settings[name] !== undefined) return;
    const unknown = given.filter((candidate) => !(candidate in variables));
    lines.push(
      `${name}: not set; ${why}${didYouMean(name, unknown).replace('did you mean', 'is it misspelt as')}`,
    );
  };
  const severalAccounts = settings.ACCOUNTS_FILE !== undefined;
  if (roles.includes('worker') && !severalAccounts) {
    require('SIMPLEMDM_API_KEY', 'expected the API key from SimpleMDM (Settings, API)');
  }
  if (roles.includes('receiver') && isProduction(settings)) {
    if (!severalAccounts)
      require('WEBHOOK_TOKEN', 'with NODE_ENV=production a secret token is required, or anybody could post webhooks');
    require('ADMIN_TOKEN', 'with NODE_ENV=production a secret token is required, or anybody could read the events, replay them and release what is held');
  }
  if (roles.length === 1) {
    require('REDIS_URL', `a ${roles[0] ?? ''} that runs apart shares its queues by Redis: set it, or run everything in one process with "mdm-reflex serve"`);
  }
  return lines;
}
