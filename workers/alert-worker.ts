import { randomBytes } from 'node:crypto';
import type { Alert } from '../src/alerts/alert.js';
import type { AlertStore, OpenGroup, UnderWay } from '../src/alerts/alert-store.js';
import { dueAt } from '../src/alerts/calm.js';
import { composeMessage } from '../src/alerts/message.js';
import { isSilenced } from '../src/alerts/silences.js';
import type { Silences } from '../src/alerts/silences.js';
import { DeliveryError } from '../src/channels/channel.js';
import type { Channel } from '../src/channels/open-channel.js';
import type { Journal } from '../src/journal/journal.js';
import type { AlertTrace } from '../src/journal/trace.js';
import type { AlertJob } from '../src/queues/jobs.js';
import { retryDelay } from '../src/queues/retry.js';
import type { RetryPolicy } from '../src/queues/retry.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';

/** What the alert worker joins together. */
export interface AlertWorkerOptions {
  readonly channels: () => ReadonlyMap<string, Channel>;
  readonly store: AlertStore;
  readonly silences: Silences;
  readonly journal: Journal;
  readonly policy: RetryPolicy;
  /** Where the console is, for links. */
  readonly consoleUrl: string | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Breaks deliveries off when the process stops. */
  readonly stop: AbortSignal;
}

/** While something waits to be sent it is looked at this often: what comes meanwhile may be due earlier. */
const LOOK_AGAIN_MS = 500;

/**
 * Sends what a channel has, message by message in order. A message that cannot be sent now is tried again, and the channel waits with it,
 * so that what was told first arrives first; one that is refused is put aside.
 */
export function createAlertHandler(
  options: AlertWorkerOptions,
): (job: JobHandle<AlertJob>) => Promise<Outcome> {
  const { store, logger } = options;
  return async (job) => {
    const { channel: name } = job.data;
    const channel = options.channels().get(name);
    for (;;) {
      if (options.stop.aborted) return { kind: 'handed_back' };
      await job.confirmOwnership();
      const message = await store.underWay(name);
      if (channel === undefined) {
        if (!(await giveUp(name, message, options))) return { kind: 'done' };
        continue;
      }
      if (message !== undefined) {
        const outcome = await deliver(channel, message, options);
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
  const { name, calm } = channel;
  const now = Date.now();
  const groups = (await store.openGroups(name)).sort((a, b) => a.first - b.first);
  if (groups.length === 0) {
    // Nothing is left: the channel is not looked at any more until the next alert.
    await store.seal(name, undefined, []);
    return 'nothing';
  }
  const due = groups.filter((group) => dueAt(group, calm) <= now);
  if (due.length === 0) return Math.min(...groups.map((group) => dueAt(group, calm)));
  const sent = await store.sentSince(name, now - calm.limit.perMs);
  if (sent.length >= calm.limit.messages) return (sent[0] ?? now) + calm.limit.perMs;
  const chosen = calm.digest === undefined ? due.slice(0, 1) : due;
  const active = await silences.list(new Date(now));
  const parts = await Promise.all(
    chosen.map(async ({ key }) => {
      const alerts = await store.alertsIn(name, key);
      const silenced = alerts.filter((alert) =>
        active.some((silence) => isSilenced(alert, silence, new Date(now))),
      );
      return { key, alerts, silenced, told: alerts.filter((alert) => !silenced.includes(alert)) };
    }),
  );
  await note(
    parts.flatMap(({ silenced }) => silenced),
    { status: 'silenced', reason: 'a silence takes it in' },
    options,
  );
  const told = parts.filter((part) => part.told.length > 0);
  const message: UnderWay = {
    id: randomBytes(12).toString('hex'),
    groups: told.map(({ key, told: alerts }) => ({ key, alerts })),
    at: new Date(now).toISOString(),
    attempts: 0,
  };
  await store.seal(
    name,
    told.length === 0 ? undefined : message,
    parts.map(({ key, alerts }): Pick<OpenGroup, 'key' | 'count'> => ({ key, count: alerts.length })),
  );
  return 'prepared';
}

/** Undefined when the message is off the channel's hands. */
async function deliver(
  channel: Channel,
  message: UnderWay,
  options: AlertWorkerOptions,
): Promise<Outcome | undefined> {
  const { store, policy, metrics, logger, consoleUrl } = options;
  const { name, type } = channel;
  const about = { channel: name, message: message.id, alerts: alertsOf(message).length };
  try {
    await channel.send(
      composeMessage(message.id, message.groups, new Date(message.at), consoleUrl),
      options.stop,
    );
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    if (options.stop.aborted) return { kind: 'handed_back' };
    const attempts = message.attempts + 1;
    const { refused, message: reason, notBefore } = error;
    if (refused || attempts >= policy.attempts) {
      await store.putAside(name, { ...message, attempts }, reason);
      await note(alertsOf(message), { status: 'failed', reason }, options);
      metrics.messages.inc({ channel: name, type, outcome: 'failed' });
      logger.error(
        { ...about, attempts, reason },
        'a message was not delivered: it is kept, "mdm-reflex alerts retry" sends it again',
      );
      return undefined;
    }
    await store.saveUnderWay(name, { ...message, attempts });
    metrics.messages.inc({ channel: name, type, outcome: 'retried' });
    const at =
      Date.now() +
      retryDelay(policy, attempts, Math.random(), notBefore === undefined ? 0 : notBefore - Date.now());
    logger.warn({ ...about, attempts, reason, nextAttemptAt: new Date(at).toISOString() }, 'a message waits');
    return { kind: 'again', at, waits: true, reason };
  }
  await store.delivered(name, message, Date.now(), channel.calm);
  await note(alertsOf(message), { status: 'sent' }, options);
  metrics.messages.inc({ channel: name, type, outcome: 'sent' });
  logger.info(about, 'message sent');
  return undefined;
}

/** Puts aside what a channel has that is in no rule file any more. False when there was nothing. */
async function giveUp(
  name: string,
  message: UnderWay | undefined,
  options: AlertWorkerOptions,
): Promise<boolean> {
  const { store, logger } = options;
  const reason = `there is no channel "${name}" in the rule files (any more)`;
  if (message !== undefined) {
    await store.putAside(name, message, reason);
    await note(alertsOf(message), { status: 'failed', reason }, options);
    logger.error({ channel: name, reason }, 'a message was not delivered');
    return true;
  }
  const groups = await store.openGroups(name);
  const [group] = groups;
  if (group === undefined) {
    await store.seal(name, undefined, []);
    return false;
  }
  const alerts = await store.alertsIn(name, group.key);
  const sealed: UnderWay = {
    id: randomBytes(12).toString('hex'),
    groups: [{ key: group.key, alerts }],
    at: new Date().toISOString(),
    attempts: 0,
  };
  await store.seal(name, sealed, [{ key: group.key, count: alerts.length }]);
  return true;
}

const alertsOf = ({ groups }: UnderWay): Alert[] => groups.flatMap(({ alerts }) => alerts);

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
