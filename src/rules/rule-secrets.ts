import { envReferencesIn } from '../config/env-reference.js';
import type { ChannelSource } from './rule-schema.js';
import type { Rule } from './rule.js';

/** The values of the environment that rules and channels refer to as `${env:NAME}`: they are to be masked wherever they would come out. */
export function secretsOf(
  { rules, channels }: { readonly rules: readonly Rule[]; readonly channels: readonly ChannelSource[] },
  env: NodeJS.ProcessEnv,
): (string | undefined)[] {
  const texts = [...rules.map(({ source }) => source), ...channels].map((source) => JSON.stringify(source));
  return texts.flatMap(envReferencesIn).flatMap((name) => [env[name], ...secretsInAddress(env[name])]);
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
