import type { Shards } from '../queues/shards.js';
import { openAlertStore } from '../alerts/alert-store.js';
import type { AlertStore } from '../alerts/alert-store.js';
import { alertCount, firstTitle } from '../alerts/pending-message.js';
import { OperatorError } from '../config/operator-error.js';
import type { UserProblem } from '../errors/user-problem.js';
import { columns, escapeControlCharacters, jsonText } from './terminal.js';

/** `mdm-reflex alerts list`: alerts that wait to be sent, and undelivered messages. */
export async function listAlerts(shards: Shards, json: boolean): Promise<string> {
  const store = openAlertStore(shards.home);
  const [waiting, undelivered] = await Promise.all([waitingAlerts(store), store.undelivered()]);
  if (json) return jsonText({ waiting, undelivered });
  const lines = [
    ...columns(
      waiting.map(({ channel, count, attempts }) => [
        'waiting',
        channel,
        counted(count, 'alert', 'alerts'),
        attempts > 0 ? counted(attempts, 'attempt', 'attempts') : '',
      ]),
    ),
    ...columns(
      undelivered.map(({ id, channel, groups, reason, code, since }) => [
        'undelivered',
        id,
        channel,
        since,
        escapeControlCharacters(`${firstTitle({ groups })}: ${reason} [${code}]`),
      ]),
    ),
  ];
  return lines.length === 0 ? 'no waiting alerts, no undelivered messages' : lines.join('\n');
}

async function waitingAlerts(store: AlertStore) {
  const channels = (await store.busyChannels()).sort();
  return Promise.all(
    channels.map(async (channel) => {
      const [groups, message] = await Promise.all([store.openGroups(channel), store.pendingMessage(channel)]);
      const inGroups = groups.reduce((sum, { count }) => sum + count, 0);
      const inMessage = message === undefined ? 0 : alertCount(message);
      return { channel, count: inGroups + inMessage, attempts: message?.attempts ?? 0 };
    }),
  );
}

/**
 * `mdm-reflex alerts retry ID|all`: queues undelivered messages again.
 *
 * @throws OperatorError when there is nothing to retry.
 */
export async function retryAlerts(shards: Shards, id: string): Promise<string> {
  const store = openAlertStore(shards.home);
  const ids = id === 'all' ? (await store.undelivered()).map((message) => message.id) : [id];
  // Only what this call requeued counts: another person may retry or drop the same messages.
  let count = 0;
  for (const messageId of ids) if ((await store.requeue(messageId)) !== undefined) count += 1;
  if (count === 0) {
    throw new OperatorError([
      id === 'all'
        ? { code: 'alert/not-found', message: 'there are no undelivered messages' }
        : messageNotFound(id),
    ]);
  }
  return `${counted(count, 'message', 'messages')} queued again`;
}

/**
 * `mdm-reflex alerts drop ID`: deletes an undelivered message.
 *
 * @throws OperatorError when there is no such message.
 */
export async function dropAlerts(shards: Shards, id: string): Promise<string> {
  if (await openAlertStore(shards.home).drop(id)) return `message ${id} dropped; nobody receives it`;
  throw new OperatorError([messageNotFound(id)]);
}

const counted = (count: number, singular: string, plural: string): string =>
  `${count} ${count === 1 ? singular : plural}`;

const messageNotFound = (id: string): UserProblem => ({
  code: 'alert/not-found',
  message: `there is no undelivered message "${id}"; "mdm-reflex alerts list" shows the undelivered messages`,
});
