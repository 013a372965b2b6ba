import { envReferencesIn } from '../../config/env-reference.js';
import type { LookupSource } from './lookup.js';
import type { ChannelSource } from './rule-schema.js';
import type { Rule } from './rule.js';

/** The values of `${env:NAME}` references in rules, channels and lookups. They are masked in logs, traces and messages. */
export function secretsOf(
  {
    rules,
    channels,
    lookups = [],
  }: {
    readonly rules: readonly Rule[];
    readonly channels: readonly ChannelSource[];
    readonly lookups?: readonly LookupSource[];
  },
  env: NodeJS.ProcessEnv,
): (string | undefined)[] {
  // The rows of a file hold no references.
  const settings = lookups.flatMap((lookup) => (lookup.kind === 'http' ? lookup.settings : []));
  const texts = [...rules.map(({ source }) => source), ...channels, ...settings].map((source) =>
    JSON.stringify(source),
  );
  return secretsOfVariables(new Set(texts.flatMap(envReferencesIn)), env);
}

/** The secret values of variables, and the secrets within them. */
export function secretsOfVariables(names: Iterable<string>, env: NodeJS.ProcessEnv): (string | undefined)[] {
  return [...names]
    .filter((name) => !isPlainWord(name, env[name]))
    .flatMap((name) => [env[name], ...secretsInUrl(env[name])]);
}

const SECRET_NAME = /KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|PIN\b/i;

/**
 * `STAGE=production` is not a secret, and masking the word would hide it everywhere. A value of letters only counts as a plain word,
 * unless its name suggests a secret.
 */
function isPlainWord(name: string, value: string | undefined): boolean {
  return value !== undefined && !SECRET_NAME.test(name) && /^[A-Za-z]+(?:[ ._/-][A-Za-z]+)*$/.test(value);
}

/** Shorter parts of a URL (`/api/v1`) occur in too many texts to mask, and are not secret. */
const MIN_PART_LENGTH = 12;

/**
 * The parts of a URL that are secret on their own: the password of `smtp://user:password@host`, and the path of a chat webhook, which an
 * error page may repeat without the host.
 */
export function secretsInUrl(value: string | undefined): string[] {
  if (value === undefined || !URL.canParse(value)) return [];
  const { password, pathname, search, searchParams } = new URL(value);
  const parts = [
    pathname + search,
    pathname,
    ...pathname.split('/').flatMap((segment) => [segment, decoded(segment)]),
    ...searchParams.values(),
  ];
  return [
    ...(password === '' ? [] : [password, decoded(password)]),
    ...new Set(parts.filter((part) => part.length >= MIN_PART_LENGTH)),
  ];
}

/** A text with a bare % is not percent-encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
