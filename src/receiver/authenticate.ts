import { createHash, timingSafeEqual } from 'node:crypto';

/** The request headers that can carry a token. */
export interface TokenHeaders {
  /** `X-Webhook-Token`. */
  readonly webhookToken: string | undefined;
  /** `Authorization`: `Bearer <token>`, or Basic with the token as password. */
  readonly authorization: string | undefined;
}

/** The token in the headers of a request. `X-Webhook-Token` wins over `Authorization`. */
export function tokenFromHeaders({ webhookToken, authorization = '' }: TokenHeaders): string | undefined {
  if (webhookToken !== undefined) return webhookToken;
  // Bearer: RFC 6750.
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer !== undefined) return bearer;
  // Basic: RFC 7617. The user name does not matter.
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return undefined;
  const credentials = Buffer.from(basic, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? undefined : credentials.slice(colon + 1);
}

/** Whether a token is one of the valid tokens. Takes constant time, so that the duration reveals nothing about them. */
export function isValidToken(token: string | undefined, validTokens: readonly string[]): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const tokenDigest = digest(token ?? '');
  let found = false;
  // No early exit: the duration must not reveal which token matched.
  for (const valid of validTokens) found = timingSafeEqual(tokenDigest, digest(valid)) || found;
  return found && token !== undefined;
}
