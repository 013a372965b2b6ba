import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { resolveEnvReferences } from './env-reference.js';
import { errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';
import { simpleMdmBaseUrl, webhookTokens } from './settings.js';
import type { Role, Settings } from './settings.js';

/** One SimpleMDM account that this service serves. */
export interface Account {
  /** The name in webhook paths, queues, traces and metrics; `default` when there is only one. */
  readonly name: string;
  /** Unset in a receiver that runs apart: it never calls the API. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string;
  /** Empty only outside production: then any sender is believed. */
  readonly webhookTokens: readonly string[];
}

/** The account of a service that has only one. */
export const DEFAULT_ACCOUNT = 'default';

const ACCOUNT_NAME = 'an account is named with lower-case letters, digits and hyphens';
const accountName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const EXPECTED = 'expected "accounts:" with at least one account below it';

function accountsFile(roles: readonly Role[], env: NodeJS.ProcessEnv) {
  return z.strictObject(
    {
      accounts: z
        .record(
          accountName,
          z.strictObject({
            api_key: neededBy('worker', roles, env, z.string().min(1)),
            webhook_token: neededBy('receiver', roles, env, webhookTokens),
            base_url: z.string().pipe(simpleMdmBaseUrl).optional(),
          }),
        )
        .refine((accounts) => Object.keys(accounts).length > 0, EXPECTED),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? EXPECTED : undefined) },
  );
}

/** A text with `${env:NAME}` in it, resolved and required only in a process that has the role. */
function neededBy<T>(
  role: Role,
  roles: readonly Role[],
  env: NodeJS.ProcessEnv,
  schema: z.ZodType<T, string>,
) {
  if (!roles.includes(role))
    return z
      .unknown()
      .optional()
      .transform(() => undefined);
  return z
    .string()
    .transform((text, context) => {
      try {
        return resolveEnvReferences(text, env);
      } catch (error) {
        context.addIssue(errorText(error));
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/**
 * The accounts by name: those of `ACCOUNTS_FILE`, or the single `default` of the environment. A secret that no role of
 * this process uses need not be in its environment: a receiver that runs apart is better off without the API keys.
 *
 * @throws OperatorError when the file cannot be read or is not of the documented form.
 */
export function readAccounts(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  roles: readonly Role[],
): ReadonlyMap<string, Account> {
  const path = settings.ACCOUNTS_FILE;
  if (path === undefined) {
    const account: Account = {
      name: DEFAULT_ACCOUNT,
      apiKey: settings.SIMPLEMDM_API_KEY,
      baseUrl: settings.SIMPLEMDM_BASE_URL,
      webhookTokens: settings.WEBHOOK_TOKEN ?? [],
    };
    return new Map([[account.name, account]]);
  }
  const schema = accountsFile(roles, env);
  const parsed = schema.safeParse(readYaml(path));
  if (!parsed.success) {
    throw new OperatorError(parsed.error.issues.map((issue) => `ACCOUNTS_FILE ${path}: ${problemOf(issue)}`));
  }
  return new Map(
    Object.entries(parsed.data.accounts).map(([name, account]) => [
      name,
      {
        name,
        apiKey: account.api_key,
        baseUrl: account.base_url ?? settings.SIMPLEMDM_BASE_URL,
        webhookTokens: account.webhook_token ?? [],
      },
    ]),
  );
}

function problemOf({ code, path, message }: z.core.$ZodIssue): string {
  const where = path.map(String).join('.');
  const what = code === 'invalid_key' ? ACCOUNT_NAME : message;
  return where === '' ? what : `${where}: ${what}`;
}

/** The library's own messages quote the file, and the file may hold keys: only the place is told. */
function readYaml(path: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error === undefined) {
    try {
      const value: unknown = document.toJS();
      return value;
    } catch {
      throw new OperatorError([`ACCOUNTS_FILE ${path}: a text that begins with * needs quotes`]);
    }
  }
  const { line, col } = lines.linePos(error.pos[0]);
  throw new OperatorError([
    `ACCOUNTS_FILE ${path}:${line}:${col}: this is not valid YAML; expected a file with "accounts:"`,
  ]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError([
      `ACCOUNTS_FILE ${path}: ${errorText(error)}; expected a YAML file with "accounts:"`,
    ]);
  }
}
