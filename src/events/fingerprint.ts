import { hash } from 'node:crypto';

/**
 * JSON with sorted keys and no white space, so that equal values give equal strings.
 * Source: RFC 8785, JSON Canonicalization Scheme.
 *
 * @param value - Parsed JSON, nested at most `MAX_DEPTH` levels.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // RFC 8785, section 3.2.3: by UTF-16 code units, as the default order of JavaScript.
  const members = Object.entries(value);
  if (members.length > 1) members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  let json = '';
  for (const [key, member] of members) {
    if (member === undefined) continue;
    json += `${json === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${json}}`;
}

/** What makes an event different from others. */
export interface EventIdentity {
  readonly type: string;
  /** A text for every webhook of the documented form. */
  readonly at: unknown;
  readonly data: unknown;
}

/**
 * The id of an event: SHA-256 in hex of the account and the canonical JSON of `type`, `at` and `data`.
 * A webhook that is delivered twice gets the same id, so the queue drops the duplicate.
 */
export function fingerprint(account: string, { type, at, data }: EventIdentity): string {
  return hash('sha256', `${account}\n${canonicalJson({ type, at, data })}`);
}
