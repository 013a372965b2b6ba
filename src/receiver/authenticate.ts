import { createHash, timingSafeEqual } from 'node:crypto';

/** Where a request can carry a token besides its address. */
export interface TokenSources {
  /** `X-Webhook-Token`. */
  readonly header: string | undefined;
  /** `Authorization`: `Bearer <token>`, or Basic with the token as password. */
  readonly authorization: string | undefined;
}

/** The token that a request presents in its headers. */
export function presentedToken({ header, authorization = '' }: TokenSources): string | undefined {
  // 1. A header of our own.
  if (header !== undefined) return header;
  // 2. Bearer (RFC 6750).
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  // 3. Basic (RFC 7617): the password; the user name does not matter.
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const credentials = Buffer.from(basic, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : credentials.slice(colon + 1);
}

/** Whether a presented token is one of the good ones, in a time that tells nothing about them. */
export function isGoodToken(presented: string | undefined, good: readonly string[]): boolean {
  const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
  const given = digest(presented ?? '');
  let found = false;
  // Every token is compared, so that the time does not tell which one, if any, it was.
  for (const token of good) found = timingSafeEqual(given, digest(token)) || found;
  return found && presented !== undefined;
}
