import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { resolveEnvReferences } from './env-reference.js';
import type { UserProblem } from '../errors/user-problem.js';
import { errorText } from '../telemetry/error-text.js';
import { keepKeysAsWritten } from './yaml-keys.js';
import { OperatorError } from './operator-error.js';
import { simpleMdmBaseUrl, webhookTokens } from './settings.js';
import type { Role, Settings } from './settings.js';

/** One SimpleMDM account. */
export interface Account {
  /** Used in webhook paths, queues, traces and metrics; `default` without `ACCOUNTS_FILE`. */
  readonly name: string;
  /** Undefined in a process without the worker role: only workers call the API. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string;
  /** Empty only outside production: the receiver then accepts every sender. */
  readonly webhookTokens: readonly string[];
}

/** The name of the account of a service without `ACCOUNTS_FILE`. */
export const DEFAULT_ACCOUNT = 'default';

const ACCOUNT_NAME = 'an account name holds lowercase letters, digits and hyphens';
const accountName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const EXPECTED = 'expected "accounts:" with at least one account below it';

function accountsFile(roles: readonly Role[], env: NodeJS.ProcessEnv) {
  return z.strictObject(
    {
      accounts: z
        .record(
          accountName,
          z.strictObject({
            api_key: requiredFor('worker', roles, env, z.string().min(1)),
            webhook_token: requiredFor('receiver', roles, env, webhookTokens),
            base_url: z.string().pipe(simpleMdmBaseUrl).optional(),
          }),
        )
        .refine((accounts) => Object.keys(accounts).length > 0, EXPECTED),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? EXPECTED : undefined) },
  );
}

/** A string whose `${env:NAME}` references are resolved. It is read and required only in a process with the role. */
function requiredFor<T>(
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
 * Reads the accounts, by name: those of `ACCOUNTS_FILE`, or the single `default` account of the settings.
 *
 * A process reads only the secrets that its roles use, so that a separate receiver needs no API keys.
 *
 * @throws OperatorError when the file cannot be read or does not have the documented form.
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
    throw new OperatorError(parsed.error.issues.map((issue) => problem(`${path}: ${issueText(issue)}`)));
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

function problem(message: string): UserProblem {
  return { code: 'settings/accounts-file', message: `ACCOUNTS_FILE ${message}` };
}

function issueText({ code, path, message }: z.core.$ZodIssue): string {
  const field = path.map(String).join('.');
  const text = code === 'invalid_key' ? ACCOUNT_NAME : message;
  return field === '' ? text : `${field}: ${text}`;
}

/** Messages name the place only: those of the library quote the file, which may hold keys. */
function readYaml(path: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error === undefined) {
    try {
      keepKeysAsWritten(document);
      const value: unknown = document.toJS();
      return value;
    } catch {
      throw new OperatorError([problem(`${path}: a value that begins with * needs quotes`)]);
    }
  }
  const { line, col } = lines.linePos(error.pos[0]);
  throw new OperatorError([
    problem(`${path}:${line}:${col}: invalid YAML; expected a file with "accounts:"`),
  ]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError([problem(`${path}: ${errorText(error)}; expected a YAML file with "accounts:"`)]);
  }
}
