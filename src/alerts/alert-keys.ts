import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/fingerprint.js';
import type { Alert } from './alert.js';

/** The keys of the alerts. */
export interface AlertKeys {
  /** Set: the channels with open groups or a pending message. */
  readonly busy: string;
  /** Set: the channels with a group that was opened since the last check. Such a channel may be due earlier than its job. */
  readonly recheck: string;
  /** Sorted set: the ids of undelivered messages, by the time when they were marked undelivered. */
  readonly allUndelivered: string;
  /** String: an undelivered message. Expires after its retention. */
  readonly undelivered: (id: string) => string;
  /** Hash: the open groups of a channel. Each value is "first last more [r]", see alert-scripts.ts. */
  readonly groups: (channel: string) => string;
  /** List: the alerts of an open group. */
  readonly group: (channel: string, group: string) => string;
  /** String: the message that a channel is delivering. */
  readonly pendingMessage: (channel: string) => string;
  /** String: when the last message of a group was sent. */
  readonly groupSentAt: (channel: string, group: string) => string;
  /** Sorted set: the messages that a channel sent within its rate limit window, by time. */
  readonly sentMessages: (channel: string) => string;
  /** String: since when a busy channel has been missing from the rule files. */
  readonly missing: (channel: string) => string;
  /** String: exists when an alert was added before. */
  readonly added: (alert: Pick<Alert, 'id' | 'channel'>) => string;
  /** Hash: the problem that the alerts of a dedup key report. */
  readonly problem: (channel: string, key: string) => string;
  /** String: the id of the alert that last had this content. Enforces `repeat_interval`. */
  readonly content: (alert: Alert) => string;
}

/** The keys of the alerts under the prefix of a shard. */
export function alertKeys(prefix: string): AlertKeys {
  const base = `${prefix}:alerts`;
  return {
    busy: `${base}:busy`,
    recheck: `${base}:recheck`,
    allUndelivered: `${base}:undelivered`,
    undelivered: (id) => `${base}:undelivered:${id}`,
    groups: (channel) => `${base}:groups:${channel}`,
    group: (channel, group) => `${base}:group:${channel}:${group}`,
    pendingMessage: (channel) => `${base}:pending-message:${channel}`,
    groupSentAt: (channel, group) => `${base}:group-sent-at:${channel}:${group}`,
    sentMessages: (channel) => `${base}:sent-messages:${channel}`,
    missing: (channel) => `${base}:missing:${channel}`,
    added: ({ id, channel }) => `${base}:added:${id}:${channel}`,
    problem: (channel, key) => `${base}:problem:${channel}:${sha256(key)}`,
    content: ({ id: _id, at: _at, event: _event, updates: _updates, ...content }) =>
      `${base}:content:${content.channel}:${sha256(canonicalJson(content))}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
