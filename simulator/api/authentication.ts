import { createHash, timingSafeEqual } from 'node:crypto';

export type Access = 'full' | 'read_only' | 'none';

/** The access of Basic credentials: the API key is the user name, the password is blank (reference: Authentication). */
export function accessOf(
  authorization: string | undefined,
  keys: { apiKey: string; readOnlyApiKey?: string },
): Access {
  const [scheme = '', encoded = ''] = (authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return 'none';
  const [user = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  if (user === '' || password.join(':') !== '') return 'none';
  if (same(user, keys.apiKey)) return 'full';
  return keys.readOnlyApiKey !== undefined && same(user, keys.readOnlyApiKey) ? 'read_only' : 'none';
}

function same(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
