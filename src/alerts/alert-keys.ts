import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/fingerprint.js';
import { KEY_PREFIX } from '../queues/connection.js';
import type { Alert } from './alert.js';

const BASE = `${KEY_PREFIX}:alerts`;

/** A set: the channels that have something to send. */
export const BUSY_KEY = `${BASE}:busy`;

/** A set: the channels with a group that was opened since they were looked at last, so that they may be due earlier than was thought. */
export const RECHECK_KEY = `${BASE}:opened`;

/** A sorted set: the ids of the messages that were put aside, by when they were. */
export const UNDELIVERED_KEY = `${BASE}:aside`;

/** A message that was put aside; it expires by itself. */
export const undeliveredKey = (id: string): string => `${BASE}:aside:${id}`;

/** A hash: the open groups of a channel; each has when its first and its last alert came, and how many are only counted. */
export const groupsKey = (channel: string): string => `${BASE}:groups:${channel}`;

/** A list: the alerts of an open group. */
export const groupKey = (channel: string, group: string): string => `${BASE}:group:${channel}:${group}`;

/** The message of a channel that is under way. */
export const pendingMessageKey = (channel: string): string => `${BASE}:under-way:${channel}`;

/** When a message of a group was sent last. */
export const groupSentAtKey = (channel: string, group: string): string => `${BASE}:sent:${channel}:${group}`;

/** A sorted set: the messages that a channel sent a short while ago, by time. */
export const sentMessagesKey = (channel: string): string => `${BASE}:sent-by:${channel}`;

/** Since when a channel that has something to send is not in the rule files. */
export const missingKey = (channel: string): string => `${BASE}:missing:${channel}`;

/** That an alert was taken. */
export const knownKey = ({ id, channel }: Alert): string => `${BASE}:known:${id}:${channel}`;

/** The id of the alert that told the same last. */
export function contentKey({ id: _id, at: _at, event: _event, ...told }: Alert): string {
  const hash = createHash('sha256').update(canonicalJson(told)).digest('hex');
  return `${BASE}:told:${told.channel}:${hash}`;
}
