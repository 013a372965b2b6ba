import type { Redis } from 'ioredis';
import { openAlertStore } from '../alerts/alert-store.js';
import type { AlertStore } from '../alerts/alert-store.js';
import { OperatorError } from '../config/operator-error.js';
import { columns, harmless } from './terminal.js';

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
        harmless(`${groups[0]?.alerts[0]?.title ?? ''}: ${reason}`),
      ]),
    ),
  ];
  return lines.length === 0 ? 'nothing waits, and everything was delivered' : lines.join('\n');
}

async function waitingIn(store: AlertStore) {
  const channels = (await store.busyChannels()).sort();
  return Promise.all(
    channels.map(async (channel) => {
      const [groups, message] = await Promise.all([store.openGroups(channel), store.underWay(channel)]);
      const open = groups.reduce((sum, { count }) => sum + count, 0);
      const sealed = message?.groups.flatMap(({ alerts }) => alerts).length ?? 0;
      return { channel, count: open + sealed, attempts: message?.attempts ?? 0 };
    }),
  );
}

/** `mdm-reflex alerts retry ID|all`: puts what could not be delivered back in line. */
export async function retryAlerts(redis: Redis, id: string): Promise<string> {
  const store = openAlertStore(redis);
  const all = await store.undelivered();
  const chosen = id === 'all' ? all : all.filter((message) => message.id === id);
  if (chosen.length === 0) {
    throw new OperatorError([
      id === 'all'
        ? 'everything was delivered'
        : `there is no undelivered message "${id}"; "mdm-reflex alerts list" shows those that are`,
    ]);
  }
  for (const message of chosen) await store.putBack(message.id);
  return `${chosen.length} ${chosen.length === 1 ? 'message goes' : 'messages go'} out again in a few seconds`;
}
