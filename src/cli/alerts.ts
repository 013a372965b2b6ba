import type { Redis } from 'ioredis';
import { openAlertStore } from '../alerts/alert-store.js';
import type { AlertStore } from '../alerts/alert-store.js';
import { alertCount } from '../alerts/pending-message.js';
import { OperatorError } from '../config/operator-error.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex alerts list`: what waits to be sent, and what could not be delivered. */
export async function listAlerts(redis: Redis, json: boolean): Promise<string> {
  const store = openAlertStore(redis);
  const [waiting, undelivered] = await Promise.all([waitingIn(store), store.undelivered()]);
  if (json) return JSON.stringify({ waiting, undelivered }, undefined, 2);
  const lines = [
    ...columns(
      waiting.map(({ channel, count, attempts }) => [
        'waiting',
        channel,
        `${count} ${count === 1 ? 'alert' : 'alerts'}`,
        attempts > 0 ? `tried ${attempts} times` : '',
      ]),
    ),
    ...columns(
      undelivered.map(({ id, channel, groups, reason, since }) => [
        'not delivered',
        id,
        channel,
        since,
        escapeControlCharacters(`${groups[0]?.alerts[0]?.title ?? ''}: ${reason}`),
      ]),
    ),
  ];
  return lines.length === 0 ? 'nothing waits, and everything was delivered' : lines.join('\n');
}

async function waitingIn(store: AlertStore) {
  const channels = (await store.busyChannels()).sort();
  return Promise.all(
    channels.map(async (channel) => {
      const [groups, message] = await Promise.all([store.openGroups(channel), store.pendingMessage(channel)]);
      const open = groups.reduce((sum, { count }) => sum + count, 0);
      const sealed = message === undefined ? 0 : alertCount(message);
      return { channel, count: open + sealed, attempts: message?.attempts ?? 0 };
    }),
  );
}

/** `mdm-reflex alerts retry ID|all`: puts what could not be delivered back in line. */
export async function retryAlerts(redis: Redis, id: string): Promise<string> {
  const store = openAlertStore(redis);
  const ids = id === 'all' ? (await store.undelivered()).map((message) => message.id) : [id];
  // Somebody else may retry or drop them at the same time: only what is put back here is told.
  let count = 0;
  for (const one of ids) if ((await store.requeue(one)) !== undefined) count += 1;
  if (count === 0) {
    throw new OperatorError([id === 'all' ? 'everything was delivered' : noSuchMessage(id)]);
  }
  return `${count} ${count === 1 ? 'message goes' : 'messages go'} out again in a few seconds`;
}

/** `mdm-reflex alerts drop ID`: gives up what could not be delivered. */
export async function dropAlerts(redis: Redis, id: string): Promise<string> {
  if (await openAlertStore(redis).drop(id)) return `the message ${id} is dropped: nobody is told of it`;
  throw new OperatorError([noSuchMessage(id)]);
}

const noSuchMessage = (id: string): string =>
  `there is no undelivered message "${id}"; "mdm-reflex alerts list" shows those that are`;
