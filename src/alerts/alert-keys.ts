import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/fingerprint.js';
import { KEY_PREFIX } from '../queues/connection.js';
import type { Alert } from './alert.js';

const BASE = `${KEY_PREFIX}:alerts`;

/** Set: the channels with open groups or a pending message. */
export const BUSY_KEY = `${BASE}:busy`;

/** Set: the channels with a group that was opened since the last check. Such a channel may be due earlier than its job. */
export const RECHECK_KEY = `${BASE}:recheck`;

/** Sorted set: the ids of undelivered messages, by the time when they were marked undelivered. */
export const UNDELIVERED_KEY = `${BASE}:undelivered`;

/** String: an undelivered message. Expires after its retention. */
export const undeliveredKey = (id: string): string => `${BASE}:undelivered:${id}`;

/** Hash: the open groups of a channel. Each value is "first last more [r]", see alert-scripts.ts. */
export const groupsKey = (channel: string): string => `${BASE}:groups:${channel}`;

/** List: the alerts of an open group. */
export const groupKey = (channel: string, group: string): string => `${BASE}:group:${channel}:${group}`;

/** String: the message that a channel is delivering. */
export const pendingMessageKey = (channel: string): string => `${BASE}:pending-message:${channel}`;

/** String: when the last message of a group was sent. */
export const groupSentAtKey = (channel: string, group: string): string =>
  `${BASE}:group-sent-at:${channel}:${group}`;

/** Sorted set: the messages that a channel sent within its rate limit window, by time. */
export const sentMessagesKey = (channel: string): string => `${BASE}:sent-messages:${channel}`;

/** String: since when a busy channel has been missing from the rule files. */
export const missingKey = (channel: string): string => `${BASE}:missing:${channel}`;

/** String: exists when an alert was added before. */
export const addedKey = ({ id, channel }: Alert): string => `${BASE}:added:${id}:${channel}`;

/** Hash: the problem that the alerts of a dedup key report. */
export const problemKey = (channel: string, key: string): string =>
  `${BASE}:problem:${channel}:${createHash('sha256').update(key).digest('hex')}`;

/** String: the id of the alert that last had this content. Enforces `repeat_interval`. */
export function contentKey({
  id: _id,
  at: _at,
  event: _event,
  updates: _updates,
  ...content
}: Alert): string {
  const hash = createHash('sha256').update(canonicalJson(content)).digest('hex');
  return `${BASE}:content:${content.channel}:${hash}`;
}
