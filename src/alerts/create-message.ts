import type { Channel } from '../channels/open-channel.js';
import { recordOutcome } from './alert-outcome.js';
import { isImmediate } from './alert.js';
import type { Alert } from './alert.js';
import type { AlertStore, GroupSnapshot, OpenGroup } from './alert-store.js';
import type { DeliveryContext } from './delivery-context.js';
import { dueAt } from './delivery-policy.js';
import type { DeliveryPolicy } from './delivery-policy.js';
import { audienceOf } from './group-key.js';
import { newMessage } from './pending-message.js';
import { isSilenced } from './silences.js';

const MAX_GROUPS_PER_MESSAGE = 1000;
/** Keeps a pending message at a size that Redis stores well. */
const MAX_ALERTS_PER_MESSAGE = 10_000;

/** What the channel does next. */
export type NextMessage =
  /** The channel has nothing to send. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'created' }
  /** No message before this time, in epoch milliseconds. */
  | { readonly kind: 'waits'; readonly dueAt: number };

/** Turns the groups that are due into a pending message, within the delivery policy and without silenced alerts. */
export async function createNextMessage(channel: Channel, options: DeliveryContext): Promise<NextMessage> {
  const { store, silences } = options;
  const { name, policy } = channel;
  const now = Date.now();
  const groups = (await store.openGroups(name)).sort(
    (a, b) => Number(b.immediate) - Number(a.immediate) || a.firstAt - b.firstAt,
  );
  if (groups.length === 0) {
    await store.markIdle(name);
    return { kind: 'idle' };
  }
  const due = groups.filter((group) => dueAt(group, policy) <= now);
  if (due.length === 0)
    return { kind: 'waits', dueAt: Math.min(...groups.map((group) => dueAt(group, policy))) };
  const sent = await store.sentSince(name, now - policy.limit.perMs);
  if (sent.length >= policy.limit.messages)
    return { kind: 'waits', dueAt: (sent[0] ?? now) + policy.limit.perMs };
  const active = await silences.list(new Date(now));
  const isSilencedNow = (alert: Alert): boolean =>
    canBeSilenced(alert, policy) && active.some((silence) => isSilenced(alert, silence, new Date(now)));
  const snapshots = await readGroups(name, groupsOfOneMessage(due, policy), store, policy);
  const messageGroups = snapshots.flatMap(({ key, alerts, more }) => {
    const audible = alerts.filter((alert) => !isSilencedNow(alert));
    return audible.length === 0 ? [] : [{ key, alerts: audible, more }];
  });
  const silenced = snapshots.flatMap(({ alerts }) => alerts).filter(isSilencedNow);
  await recordOutcome(silenced, { status: 'silenced', reason: 'a silence matches the alert' }, options);
  const message = messageGroups.length === 0 ? undefined : newMessage(messageGroups);
  // False when another worker was faster: the next iteration sees its message.
  await store.createMessage(name, message, snapshots, policy.repeatIntervalMs === undefined ? [] : silenced);
  return { kind: 'created' };
}

/** A digest contains all groups for the same recipients. Any other message contains one group. */
function groupsOfOneMessage(
  due: readonly OpenGroup[],
  { digest, perKey }: DeliveryPolicy,
): readonly OpenGroup[] {
  const [first] = due;
  if (first === undefined || first.immediate || digest === undefined || perKey) return due.slice(0, 1);
  const audience = audienceOf(first.key);
  return due.filter(({ key }) => audienceOf(key) === audience).slice(0, MAX_GROUPS_PER_MESSAGE);
}

/** A run waits for the answer to an immediate alert; an incident that nothing resolves stays open. */
const canBeSilenced = (alert: Alert, { perKey }: DeliveryPolicy): boolean =>
  !isImmediate(alert) && !(perKey && alert.status === 'resolved');

async function readGroups(
  channel: string,
  groups: readonly OpenGroup[],
  store: AlertStore,
  { perKey }: DeliveryPolicy,
): Promise<GroupSnapshot[]> {
  const snapshots: GroupSnapshot[] = [];
  let alerts = 0;
  for (const { key } of groups) {
    const snapshot = await store.readGroup(channel, key, perKey);
    if (snapshot === undefined) continue;
    alerts += snapshot.alerts.length;
    if (snapshots.length > 0 && alerts > MAX_ALERTS_PER_MESSAGE) break;
    snapshots.push(snapshot);
  }
  return snapshots;
}
