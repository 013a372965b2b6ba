import { hash, timingSafeEqual } from 'node:crypto';

/** The request headers that can carry a token. */
export interface TokenHeaders {
  /** The values of headers that hold nothing but a token. */
  readonly plain?: readonly (string | undefined)[];
  /** `Authorization`: `Bearer <token>`, or Basic with the token as user name or as password. */
  readonly authorization: string | undefined;
}

/** Every token in the headers of a request. One of them must be valid: Basic does not say which part is the token. */
export function tokensFromHeaders({ plain = [], authorization = '' }: TokenHeaders): string[] {
  return [...plain.filter((value) => value !== undefined), ...tokensFromAuthorization(authorization)];
}

function tokensFromAuthorization(authorization: string): string[] {
  // Bearer: RFC 6750.
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return [bearer];
  // Basic: RFC 7617. A user name has no colon.
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return [];
  const credentials = Buffer.from(basic, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? [] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
}

/** The digests of valid tokens. */
const validDigests = new WeakMap<readonly string[], readonly Buffer[]>();

function digestsOf(validTokens: readonly string[]): readonly Buffer[] {
  const known = validDigests.get(validTokens);
  if (known !== undefined) return known;
  const digests = validTokens.map(digest);
  validDigests.set(validTokens, digests);
  return digests;
}

const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

/** Whether one of the tokens is valid. Compares each with each in constant time, so that the duration reveals nothing about valid tokens. */
export function hasValidToken(tokens: readonly string[], validTokens: readonly string[]): boolean {
  const valid = digestsOf(validTokens);
  let found = false;
  // No early exit: the duration must not reveal which token matched.
  for (const token of tokens) {
    const given = digest(token);
    for (const expected of valid) found = timingSafeEqual(given, expected) || found;
  }
  return found;
}
