import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

/** A secret in the format of Standard Webhooks: at least 24 bytes in base64, with or without the prefix `whsec_`. */
export const signingSecret = z
  .string()
  .regex(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, 'expected a secret of at least 24 bytes in base64');

/**
 * The headers that sign a body. Source: Standard Webhooks, "Symmetric signatures".
 *
 * @param id - Stays the same when the body is sent again, so that the recipient recognizes a duplicate.
 */
export function signedHeaders(secret: string, id: string, at: Date, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
