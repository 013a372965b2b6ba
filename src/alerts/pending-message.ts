import { z } from 'zod';
import { alert } from './alert.js';
import type { Alert } from './alert.js';

/** A message that is on its way: it is kept until the other side has it. */
export const pendingMessage = z.object({
  id: z.string(),
  groups: z.array(
    z.object({
      key: z.string(),
      alerts: z.array(alert),
      /** How many more there are, of which only the number is known. */
      more: z.int().default(0),
    }),
  ),
  /** ISO 8601. */
  at: z.string(),
  attempts: z.int(),
  /** ISO 8601: it is not tried before, whatever wakes its channel. */
  nextAttemptAt: z.string().optional(),
});

/** A message that is on its way. */
export type PendingMessage = z.output<typeof pendingMessage>;

/** A message that could not be delivered. */
export const undeliveredMessage = z.object({
  ...pendingMessage.shape,
  channel: z.string(),
  reason: z.string(),
  since: z.string(),
});

/** A message that could not be delivered. */
export type UndeliveredMessage = z.output<typeof undeliveredMessage>;

/** The alerts of a message. */
export const alertsIn = ({ groups }: Pick<PendingMessage, 'groups'>): Alert[] =>
  groups.flatMap(({ alerts }) => alerts);

/** How many a message tells of, those that are only counted included. */
export const alertCount = ({ groups }: Pick<PendingMessage, 'groups'>): number =>
  groups.reduce((sum, { alerts, more }) => sum + alerts.length + more, 0);

/** A message as it is stored: its id stands first, so that Redis can tell one from another without reading all of it. */
export const serializeMessage = ({ id, ...rest }: PendingMessage): string => JSON.stringify({ id, ...rest });

/** How a stored message begins. */
export const serializedPrefix = ({ id }: Pick<PendingMessage, 'id'>): string =>
  JSON.stringify({ id }).slice(0, -1);
