import { randomBytes } from 'node:crypto';
import type { Alert } from '../src/alerts/alert.js';
import type { AlertStore, DeliveryFailure, GroupSnapshot, OpenGroup } from '../src/alerts/alert-store.js';
import { dueAt } from '../src/alerts/delivery-policy.js';
import { composeMessage } from '../src/alerts/message.js';
import { isSilenced } from '../src/alerts/silences.js';
import type { Silences } from '../src/alerts/silences.js';
import { alertsIn, alertCount } from '../src/alerts/pending-message.js';
import type { PendingMessage } from '../src/alerts/pending-message.js';
import { DeliveryError } from '../src/channels/channel.js';
import type { Receipt } from '../src/channels/channel.js';
import type { Channel } from '../src/channels/open-channel.js';
import type { Journal } from '../src/journal/journal.js';
import type { AlertTrace } from '../src/journal/trace.js';
import { GRACE_PERIODS, nextGraceCheck } from '../src/queues/grace-period.js';
import type { JobHandle } from '../src/queues/job-handle.js';
import type { JobOutcome } from '../src/queues/job-outcome.js';
import type { AlertJob } from '../src/queues/jobs.js';
import { retryDelay } from '../src/queues/backoff.js';
import type { RetryPolicy } from '../src/queues/backoff.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { Redact } from '../src/telemetry/redaction.js';

/** What the alert worker needs. */
export interface AlertWorkerOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly silences: Silences;
  readonly journal: Journal;
  readonly policy: RetryPolicy;
  /** How long undelivered messages are kept. */
  readonly keepUndeliveredMs: number;
  /** Sends nothing: alerts keep waiting. */
  readonly readOnly: boolean;
  /** The base URL of the console, for links. */
  readonly consoleUrl: string | undefined;
  /** Responses of services may repeat a secret that was sent to them. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Aborts deliveries when the process stops. */
  readonly stop: AbortSignal;
}

/** Upper bound of a delay: new rules may change the delivery policy. A new group wakes its channel earlier. */
const RECHECK_INTERVAL_MS = 60_000;
const MAX_GROUPS_PER_MESSAGE = 1000;
/** Keeps a pending message at a size that Redis stores well. */
const MAX_ALERTS_PER_MESSAGE = 10_000;

/**
 * Sends the messages of a channel one after the other, in order. A failed message is retried before the next one, so the order is
 * kept. A message that cannot be delivered is marked undelivered, and the channel continues.
 */
export function createAlertHandler(
  options: AlertWorkerOptions,
): (job: JobHandle<AlertJob>) => Promise<JobOutcome> {
  const { store, logger } = options;
  return async (job) => {
    const { channel: name } = job.data;
    // The alerts stay in Redis until a process without READ_ONLY wakes the channel.
    if (options.readOnly) return { kind: 'completed' };
    for (;;) {
      if (options.stop.aborted) return { kind: 'requeue', reason: 'the service stops' };
      await job.confirmOwnership();
      // Before the groups are read: a group that is opened from now on wakes the channel again.
      await store.markChecked(name);
      const channel = options.channels().get(name);
      const message = await store.pendingMessage(name);
      if (channel === undefined) {
        const outcome = await handleMissingChannel(name, message, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      await store.clearMissing(name);
      if (message !== undefined) {
        const outcome = await deliver(channel, message, job, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      const next = await createNextMessage(channel, options);
      if (next.kind === 'idle') return { kind: 'completed' };
      if (next.kind === 'created') continue;
      const reason = `waits until ${new Date(next.dueAt).toISOString()}`;
      logger.trace({ channel: name, reason }, 'channel waits');
      return {
        kind: 'retry',
        at: Math.min(next.dueAt, Date.now() + RECHECK_INTERVAL_MS),
        countsAttempt: false,
        reason,
      };
    }
  };
}

type NextMessage =
  /** The channel has nothing to send. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'created' }
  /** No message before this time, in epoch milliseconds. */
  | { readonly kind: 'waits'; readonly dueAt: number };

/** Turns the groups that are due into a pending message, within the delivery policy and without silenced alerts. */
async function createNextMessage(channel: Channel, options: AlertWorkerOptions): Promise<NextMessage> {
  const { store, silences } = options;
  const { name, policy } = channel;
  const now = Date.now();
  const groups = (await store.openGroups(name)).sort((a, b) => a.firstAt - b.firstAt);
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
    active.some((silence) => isSilenced(alert, silence, new Date(now)));
  const chosen = policy.digest === undefined ? due.slice(0, 1) : due.slice(0, MAX_GROUPS_PER_MESSAGE);
  const snapshots = await readGroups(name, chosen, store);
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

async function readGroups(
  channel: string,
  groups: readonly OpenGroup[],
  store: AlertStore,
): Promise<GroupSnapshot[]> {
  const snapshots: GroupSnapshot[] = [];
  let alerts = 0;
  for (const { key } of groups) {
    const snapshot = await store.readGroup(channel, key);
    if (snapshot === undefined) continue;
    alerts += snapshot.alerts.length;
    if (snapshots.length > 0 && alerts > MAX_ALERTS_PER_MESSAGE) break;
    snapshots.push(snapshot);
  }
  return snapshots;
}

const newMessage = (groups: PendingMessage['groups']): PendingMessage => ({
  id: randomBytes(12).toString('hex'),
  groups,
  at: new Date().toISOString(),
  attempts: 0,
});

/** Makes one delivery attempt if the message is due. Undefined when the channel can continue with its next message. */
async function deliver(
  channel: Channel,
  message: PendingMessage,
  job: JobHandle<AlertJob>,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, metrics, logger, consoleUrl, redact } = options;
  const { name, type, maxLines } = channel;
  const nextAttemptAt = Date.parse(message.nextAttemptAt ?? message.at);
  if (message.nextAttemptAt !== undefined && nextAttemptAt > Date.now()) {
    const reason = `next attempt at ${message.nextAttemptAt}`;
    return { kind: 'retry', at: nextAttemptAt, countsAttempt: false, reason };
  }
  let receipt: Receipt;
  try {
    const composed = composeMessage(message.id, message.groups, new Date(message.at), consoleUrl, maxLines);
    receipt = await channel.send(composed, options.stop);
  } catch (error) {
    if (options.stop.aborted) return { kind: 'requeue', reason: 'the service stops' };
    // Another worker may have continued with the message; then its result counts.
    await job.confirmOwnership();
    return handleFailure(channel, message, error, options);
  }
  const warning = receipt.warning && {
    code: receipt.warning.code,
    reason: redact(receipt.warning.message),
  };
  // Traces first: if the process dies now, the message is sent twice, but no sent alert stays "queued".
  await recordOutcome(alertsIn(message), { status: 'sent', ...warning }, options);
  await store.markDelivered(name, message, Date.now(), channel.policy);
  metrics.messages.inc({ channel: name, type, outcome: 'sent' });
  const context = { channel: name, message: message.id, alerts: alertCount(message) };
  if (warning === undefined) logger.info(context, 'message sent');
  else logger.warn({ ...warning, ...context }, 'message sent, but some recipients were rejected');
  return undefined;
}

/** Schedules the next attempt, or marks the message undelivered. Unexpected errors use up attempts too: no message may block its channel forever. */
async function handleFailure(
  { name, type }: Channel,
  message: PendingMessage,
  error: unknown,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, policy, metrics, logger, redact } = options;
  const attempts = message.attempts + 1;
  const { code, retryable, notBefore } =
    error instanceof DeliveryError
      ? error
      : { code: 'channel/unexpected-error' as const, retryable: true, notBefore: undefined };
  const failure: DeliveryFailure = { code, reason: redact(errorText(error)) };
  const context = { channel: name, message: message.id, alerts: alertCount(message), attempts };
  if (!retryable || attempts >= policy.attempts) {
    await markUndelivered(name, { ...message, attempts }, failure, options);
    metrics.messages.inc({ channel: name, type, outcome: 'failed' });
    logger.error(
      { ...failure, ...context },
      'message not delivered; to send it again, run "mdm-reflex alerts retry"',
    );
    return undefined;
  }
  const now = Date.now();
  const at = now + retryDelay(policy, attempts, Math.random(), notBefore === undefined ? 0 : notBefore - now);
  const nextAttemptAt = new Date(at).toISOString();
  await store.savePending(name, { ...message, attempts, nextAttemptAt });
  metrics.messages.inc({ channel: name, type, outcome: 'retried' });
  logger.warn({ ...failure, ...context, nextAttemptAt }, 'message not delivered; will retry');
  return { kind: 'retry', at, countsAttempt: false, ...failure };
}

/**
 * Handles a channel that no rule file defines: its alerts wait for a grace period, then become undelivered messages. Undefined when
 * the channel has more to handle.
 */
async function handleMissingChannel(
  name: string,
  message: PendingMessage | undefined,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, logger } = options;
  const [group] = message === undefined ? await store.openGroups(name) : [];
  if (message === undefined && group === undefined) {
    await store.markIdle(name);
    return { kind: 'completed' };
  }
  const failure = {
    code: 'channel/missing',
    reason: `there is no channel "${name}" in the rule files`,
  } as const;
  const { since, isNew } = await store.missingSince(name);
  const recheckAt = nextGraceCheck(since, GRACE_PERIODS.channel);
  if (recheckAt !== undefined) {
    if (isNew)
      logger.warn({ ...failure, channel: name }, 'messages wait up to ten minutes for their channel');
    return { kind: 'retry', at: recheckAt, countsAttempt: false, ...failure };
  }
  if (message !== undefined) {
    await markUndelivered(name, message, failure, options);
    logger.error({ ...failure, channel: name }, 'message not delivered');
    return undefined;
  }
  const snapshot = group === undefined ? undefined : await store.readGroup(name, group.key);
  if (snapshot !== undefined)
    await store.createMessage(name, newMessage([messageGroupOf(snapshot)]), [snapshot], []);
  return undefined;
}

const messageGroupOf = ({ key, alerts, more }: GroupSnapshot): PendingMessage['groups'][number] => ({
  key,
  alerts: [...alerts],
  more,
});

/** Traces first, as in {@link deliver}. */
async function markUndelivered(
  name: string,
  message: PendingMessage,
  failure: DeliveryFailure,
  options: AlertWorkerOptions,
): Promise<void> {
  await recordOutcome(alertsIn(message), { status: 'failed', ...failure }, options);
  await options.store.markUndelivered(name, message, failure, options.keepUndeliveredMs);
}

/** Records the outcome of alerts in the traces of their events. */
async function recordOutcome(
  alerts: readonly Alert[],
  outcome: Pick<AlertTrace, 'status' | 'reason' | 'code'>,
  { journal }: AlertWorkerOptions,
): Promise<void> {
  const at = new Date().toISOString();
  const records = alerts.flatMap(({ id, channel, title, event }) =>
    event === undefined ? [] : [{ id, channel, title, at, ...outcome, event: event.id }],
  );
  if (records.length > 0) await journal.recordAlerts(records);
}
