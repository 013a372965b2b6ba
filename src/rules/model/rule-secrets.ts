import { envReferencesIn } from '../../config/env-reference.js';
import type { ChannelSource } from './rule-schema.js';
import type { Rule } from './rule.js';

/** The values of the environment that rules and channels refer to as `${env:NAME}`: they are to be masked wherever they would come out. */
export function secretsOf(
  { rules, channels }: { readonly rules: readonly Rule[]; readonly channels: readonly ChannelSource[] },
  env: NodeJS.ProcessEnv,
): (string | undefined)[] {
  const texts = [...rules.map(({ source }) => source), ...channels].map((source) => JSON.stringify(source));
  const names = new Set(texts.flatMap(envReferencesIn));
  return [...names]
    .filter((name) => !isPlainWord(name, env[name]))
    .flatMap((name) => [env[name], ...secretsInAddress(env[name])]);
}

const SECRET_NAME = /KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|PIN\b/i;

/**
 * `STAGE=production` is no secret: masked, the word would be missing wherever else it stands. A value of letters alone under a name that
 * says nothing of a secret is taken for such a word.
 */
function isPlainWord(name: string, value: string | undefined): boolean {
  return value !== undefined && !SECRET_NAME.test(name) && /^[A-Za-z]+(?:[ ._/-][A-Za-z]+)*$/.test(value);
}

/** A shorter piece of an address (`/api/v1`) stands in too many ordinary texts to be masked there, and is no secret. */
const SHORTEST_PIECE = 12;

/**
 * What is secret in an address by itself: the password of `smtp://user:password@host`, and the path of a chat's webhook, which a page
 * that says "not found" repeats without the rest of the address.
 */
function secretsInAddress(value: string | undefined): string[] {
  if (value === undefined || !URL.canParse(value)) return [];
  const { password, pathname, search, searchParams } = new URL(value);
  const pieces = [
    pathname + search,
    pathname,
    ...pathname.split('/').flatMap((segment) => [segment, decoded(segment)]),
    ...searchParams.values(),
  ];
  return [
    ...(password === '' ? [] : [password, decoded(password)]),
    ...new Set(pieces.filter((piece) => piece.length >= SHORTEST_PIECE)),
  ];
}

/** A bare % means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
