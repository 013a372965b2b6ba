import { randomBytes } from 'node:crypto';
import type { Alert } from '../src/alerts/alert.js';
import type { AlertStore, OpenGroup, ReadGroup } from '../src/alerts/alert-store.js';
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
import type { AlertJob } from '../src/queues/jobs.js';
import { retryDelay } from '../src/queues/retry.js';
import type { RetryPolicy } from '../src/queues/retry.js';
import type { JobHandle, JobOutcome } from '../src/queues/worker.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { Redact } from '../src/telemetry/redaction.js';

/** What the alert worker joins together. */
export interface AlertWorkerOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly silences: Silences;
  readonly journal: Journal;
  readonly policy: RetryPolicy;
  /** A message that cannot be delivered is kept this long. */
  readonly keepUndeliveredMs: number;
  /** Whether nobody is told anything: what waits goes on waiting. */
  readonly readOnly: boolean;
  /** Where the console is, for links. */
  readonly consoleUrl: string | undefined;
  /** What the other side says may repeat a secret that it was sent. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Breaks deliveries off when the process stops. */
  readonly stop: AbortSignal;
}

/** What waits is looked at this often at least: a group that is opened meanwhile wakes its channel, but other rules may be in force. */
const LOOK_AGAIN_MS = 60_000;
/** A channel may be missing this long: its file is just being written, or this process is older than the rules. */
const MISSING_MS = 600_000;
const LOOK_FOR_MISSING_MS = 2000;
/** One message takes so many groups at most, and stops short of more alerts than can well be kept in one piece. */
const MOST_GROUPS = 1000;
const MOST_ALERTS_TOGETHER = 10_000;

/**
 * Sends what a channel has, message by message in order. A message that cannot be sent now is tried again, and the channel waits with it,
 * so that what was told first arrives first; one that is refused is put aside.
 */
export function createAlertHandler(
  options: AlertWorkerOptions,
): (job: JobHandle<AlertJob>) => Promise<JobOutcome> {
  const { store, logger } = options;
  return async (job) => {
    const { channel: name } = job.data;
    // Nothing is lost: a process that may send wakes the channel.
    if (options.readOnly) return { kind: 'done' };
    for (;;) {
      if (options.stop.aborted) return { kind: 'handed_back' };
      await job.confirmOwnership();
      // Before its groups are read: one that is opened from now on wakes the channel again.
      await store.markChecked(name);
      const channel = options.channels().get(name);
      const message = await store.pendingMessage(name);
      if (channel === undefined) {
        const outcome = await withoutChannel(name, message, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      await store.clearMissing(name);
      if (message !== undefined) {
        const outcome = await deliver(channel, message, job, options);
        if (outcome !== undefined) return outcome;
        continue;
      }
      const next = await prepare(channel, options);
      if (next === 'nothing') return { kind: 'done' };
      if (next === 'prepared') continue;
      const reason = `waits until ${new Date(next).toISOString()}`;
      logger.trace({ channel: name, reason }, 'a channel waits');
      return { kind: 'again', at: Math.min(next, Date.now() + LOOK_AGAIN_MS), waits: true, reason };
    }
  };
}

/** Puts the next message together, or says when there will be one. */
async function prepare(
  channel: Channel,
  options: AlertWorkerOptions,
): Promise<'nothing' | 'prepared' | number> {
  const { store, silences } = options;
  const { name, policy: calm } = channel;
  const now = Date.now();
  const groups = (await store.openGroups(name)).sort((a, b) => a.first - b.first);
  if (groups.length === 0) {
    await store.markIdle(name);
    return 'nothing';
  }
  const due = groups.filter((group) => dueAt(group, calm) <= now);
  if (due.length === 0) return Math.min(...groups.map((group) => dueAt(group, calm)));
  const sent = await store.sentSince(name, now - calm.limit.perMs);
  if (sent.length >= calm.limit.messages) return (sent[0] ?? now) + calm.limit.perMs;
  const active = await silences.list(new Date(now));
  const isHushed = (alert: Alert): boolean =>
    active.some((silence) => isSilenced(alert, silence, new Date(now)));
  const chosen = calm.digest === undefined ? due.slice(0, 1) : due.slice(0, MOST_GROUPS);
  const parts = await readGroups(name, chosen, store);
  const told = parts.flatMap(({ key, alerts, more }) => {
    const loud = alerts.filter((alert) => !isHushed(alert));
    return loud.length === 0 ? [] : [{ key, alerts: loud, more }];
  });
  const silenced = parts.flatMap(({ alerts }) => alerts).filter(isHushed);
  await note(silenced, { status: 'silenced', reason: 'a silence takes it in' }, options);
  const message = told.length === 0 ? undefined : newMessage(told);
  await store.createMessage(name, message, parts, calm.repeatMs === undefined ? [] : silenced);
  // When another worker was faster, what it did is looked at next.
  return 'prepared';
}

async function readGroups(
  channel: string,
  groups: readonly OpenGroup[],
  store: AlertStore,
): Promise<ReadGroup[]> {
  const read: ReadGroup[] = [];
  let alerts = 0;
  for (const { key } of groups) {
    const group = await store.readGroup(channel, key);
    if (group === undefined) continue;
    alerts += group.alerts.length;
    if (read.length > 0 && alerts > MOST_ALERTS_TOGETHER) break;
    read.push(group);
  }
  return read;
}

const newMessage = (groups: PendingMessage['groups']): PendingMessage => ({
  id: randomBytes(12).toString('hex'),
  groups,
  at: new Date().toISOString(),
  attempts: 0,
});

/** Undefined when the message is off the channel's hands. */
async function deliver(
  channel: Channel,
  message: PendingMessage,
  job: JobHandle<AlertJob>,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, metrics, logger, consoleUrl, redact } = options;
  const { name, type, maxLines } = channel;
  const waitsUntil = Date.parse(message.nextAttemptAt ?? message.at);
  if (message.nextAttemptAt !== undefined && waitsUntil > Date.now()) {
    const reason = `waits until ${message.nextAttemptAt} for its next attempt`;
    return { kind: 'again', at: waitsUntil, waits: true, reason };
  }
  let receipt: Receipt;
  try {
    const composed = composeMessage(message.id, message.groups, new Date(message.at), consoleUrl, maxLines);
    receipt = await channel.send(composed, options.stop);
  } catch (error) {
    if (options.stop.aborted) return { kind: 'handed_back' };
    // Somebody else may have gone on with it, and what became of it is then not ours to say.
    await job.confirmOwnership();
    return afterFailure(channel, message, error, options);
  }
  const about = { channel: name, message: message.id, alerts: alertCount(message) };
  const warning = receipt.warning === undefined ? undefined : redact(receipt.warning);
  // First the traces: a process that dies in between sends it once more, and nothing stays "queued" that was sent.
  await note(
    alertsIn(message),
    { status: 'sent', ...(warning !== undefined && { reason: warning }) },
    options,
  );
  await store.markDelivered(name, message, Date.now(), channel.policy);
  metrics.messages.inc({ channel: name, type, outcome: 'sent' });
  if (warning === undefined) logger.info(about, 'message sent');
  else logger.warn({ ...about, reason: warning }, 'message sent, but not to everybody');
  return undefined;
}

/** An error that no channel foresaw counts as an attempt like any other: it must not hold its channel up for ever. */
async function afterFailure(
  { name, type }: Channel,
  message: PendingMessage,
  error: unknown,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, policy, metrics, logger, redact } = options;
  const about = { channel: name, message: message.id, alerts: alertCount(message) };
  const attempts = message.attempts + 1;
  const reason = redact(errorText(error));
  const { refused, notBefore } =
    error instanceof DeliveryError ? error : { refused: false, notBefore: undefined };
  if (refused || attempts >= policy.attempts) {
    await putAside(name, { ...message, attempts }, reason, options);
    metrics.messages.inc({ channel: name, type, outcome: 'failed' });
    logger.error(
      { ...about, attempts, reason },
      'a message was not delivered: it is kept, "mdm-reflex alerts retry" sends it again',
    );
    return undefined;
  }
  const now = Date.now();
  const at = now + retryDelay(policy, attempts, Math.random(), notBefore === undefined ? 0 : notBefore - now);
  const nextAttemptAt = new Date(at).toISOString();
  await store.savePending(name, { ...message, attempts, nextAttemptAt });
  metrics.messages.inc({ channel: name, type, outcome: 'retried' });
  logger.warn({ ...about, attempts, reason, nextAttemptAt }, 'a message waits');
  return { kind: 'again', at, waits: true, reason };
}

/**
 * What a channel has that is in no rule file: it waits for some time, since the file may just be on its way, and is then put aside.
 * Undefined when there is more to be looked at.
 */
async function withoutChannel(
  name: string,
  message: PendingMessage | undefined,
  options: AlertWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { store, logger } = options;
  const [group] = message === undefined ? await store.openGroups(name) : [];
  if (message === undefined && group === undefined) {
    await store.markIdle(name);
    return { kind: 'done' };
  }
  const reason = `there is no channel "${name}" in the rule files (any more)`;
  const { since, isNew } = await store.missingSince(name);
  if (Date.now() < since + MISSING_MS) {
    if (isNew)
      logger.warn({ channel: name, reason }, 'messages wait for their channel, for ten minutes at most');
    return { kind: 'again', at: Date.now() + LOOK_FOR_MISSING_MS, waits: true, reason };
  }
  if (message !== undefined) {
    await putAside(name, message, reason, options);
    logger.error({ channel: name, reason }, 'a message was not delivered');
    return undefined;
  }
  const read = group === undefined ? undefined : await store.readGroup(name, group.key);
  if (read !== undefined) await store.createMessage(name, newMessage([partOf(read)]), [read], []);
  return undefined;
}

const partOf = ({ key, alerts, more }: ReadGroup): PendingMessage['groups'][number] => ({
  key,
  alerts: [...alerts],
  more,
});

/** First the traces, for the same reason as when a message was sent. */
async function putAside(
  name: string,
  message: PendingMessage,
  reason: string,
  options: AlertWorkerOptions,
): Promise<void> {
  await note(alertsIn(message), { status: 'failed', reason }, options);
  await options.store.markUndelivered(name, message, reason, options.keepUndeliveredMs);
}

/** Puts down in the traces what became of alerts. */
async function note(
  alerts: readonly Alert[],
  fate: Pick<AlertTrace, 'status' | 'reason'>,
  { journal }: AlertWorkerOptions,
): Promise<void> {
  const at = new Date().toISOString();
  const noted = alerts.flatMap(({ id, channel, title, event }) =>
    event === undefined ? [] : [{ id, channel, title, at, ...fate, event: event.id }],
  );
  if (noted.length > 0) await journal.recordAlerts(noted);
}
