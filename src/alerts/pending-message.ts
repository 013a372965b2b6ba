import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { alert, titleWithStatus } from './alert.js';
import type { Alert } from './alert.js';

/** The message that a channel is delivering, stored until the chat or mail service has accepted it. */
export const pendingMessage = z.object({
  id: z.string(),
  groups: z.array(
    z.object({
      key: z.string(),
      alerts: z.array(alert),
      /** How many more alerts are only counted. */
      more: z.int().default(0),
    }),
  ),
  /** ISO 8601. */
  at: z.string(),
  attempts: z.int(),
  /** ISO 8601. No attempt before this time, even when the channel is woken earlier. */
  nextAttemptAt: z.string().optional(),
});

/** The message that a channel is delivering. */
export type PendingMessage = z.output<typeof pendingMessage>;

/** A message that could not be delivered. */
export const undeliveredMessage = z.object({
  ...pendingMessage.shape,
  channel: z.string(),
  reason: z.string(),
  /** The error code of the reason. */
  code: z.string(),
  /** ISO 8601. */
  since: z.string(),
});

/** A message that could not be delivered. */
export type UndeliveredMessage = z.output<typeof undeliveredMessage>;

/** The alerts of a message that are stored in full. */
export const alertsIn = ({ groups }: Pick<PendingMessage, 'groups'>): Alert[] =>
  groups.flatMap(({ alerts }) => alerts);

/** The title of the first alert in a message. */
export function firstTitle(message: Pick<PendingMessage, 'groups'>): string {
  const [first] = alertsIn(message);
  return first === undefined ? '' : titleWithStatus(first);
}

/** The number of alerts in a message, including those that are only counted. */
export const alertCount = ({ groups }: Pick<PendingMessage, 'groups'>): number =>
  groups.reduce((sum, { alerts, more }) => sum + alerts.length + more, 0);

/** A message as stored in Redis. The id comes first, so that scripts can compare messages by their prefix. */
export const serializeMessage = ({ id, ...rest }: PendingMessage): string => JSON.stringify({ id, ...rest });

/** The prefix of a stored message. */
export const serializedPrefix = ({ id }: Pick<PendingMessage, 'id'>): string =>
  JSON.stringify({ id }).slice(0, -1);

/** A new message of the given groups, before its first delivery attempt. */
export const newMessage = (groups: PendingMessage['groups']): PendingMessage => ({
  id: randomBytes(12).toString('hex'),
  groups,
  at: new Date().toISOString(),
  attempts: 0,
});
