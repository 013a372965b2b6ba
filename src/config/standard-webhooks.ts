import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

/** A secret as Standard Webhooks has it: at least 24 bytes in base64, `whsec_` before it or not. */
export const signingSecret = z
  .string()
  .regex(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/, 'expected a secret of at least 24 bytes in base64');

/**
 * The headers that sign a body (Standard Webhooks, Symmetric signatures).
 *
 * @param id - The same whenever the body is sent again, so that the other side can tell.
 */
export function signedHeaders(secret: string, id: string, at: Date, body: string): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}
