import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Alert } from '../../../src/alerts/alert.js';
import { openAlertStore } from '../../../src/alerts/alert-store.js';
import type { AlertStore } from '../../../src/alerts/alert-store.js';
import { deliveryPolicyFrom } from '../../../src/alerts/delivery-policy.js';
import type { Message } from '../../../src/alerts/message.js';
import { openSilences } from '../../../src/alerts/silences.js';
import { DeliveryError } from '../../../src/channels/channel.js';
import type { Receipt } from '../../../src/channels/channel.js';
import type { Channel } from '../../../src/channels/open-channel.js';
import { openApprovals } from '../../../src/coordination/approvals.js';
import { traceFrom } from '../../../src/journal/read-trace.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { openJournal } from '../../../src/journal/journal.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import type { AlertJob } from '../../../src/queues/jobs.js';
import { ALERTS, channelJobId } from '../../../src/queues/queues.js';
import type { JobOutcome } from '../../../src/queues/job-outcome.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';
import { createAlertHandler } from '../../../workers/alert-worker.js';
import { createAlertDispatcher } from '../../../src/alerts/alert-dispatcher.js';
import { wakeBusyChannels, wakeChannel } from '../../../src/alerts/wake-channel.js';
import { collectLog } from '../../support/log-lines.js';
import { everythingIn, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { alertAbout } from '../../unit/channels/messages.js';
import { singleShard } from '../../../src/queues/shards.js';

const NAME = 'it-chat';
const SECRET = 'a-secret-of-the-channel';
const EVENT = {
  id: '0123456789abcdef',
  account: 'acme',
  type: 'device.enrolled',
  at: '2026-01-31T08:00:00Z',
  receivedAt: '2026-01-31T08:00:00.000Z',
  source: 'webhook' as const,
  data: {},
};

let server: TestRedis;
let redis: Redis;
let store: AlertStore;
let queue: Queue<AlertJob>;

beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
  await redis.flushall();
  store = openAlertStore(singleShard(redis));
  queue = new Queue(ALERTS, { connection: redis, prefix: KEY_PREFIX });
});
afterEach(async () => {
  await queue.close();
  redis.disconnect();
});

/** How a channel handles each message, one after the other; the last entry repeats. */
type Delivery = (message: Message) => Promise<Receipt>;
const accepts: Delivery = () => Promise.resolve({ response: 'ok' });
const fails =
  (error: unknown): Delivery =>
  () =>
    Promise.reject(error instanceof Error ? error : new Error(String(error)));

function world({
  settings = {},
  deliveries = [accepts],
  attempts = 3,
  readOnly = false,
  perKey = false,
}: {
  settings?: Record<string, unknown>;
  perKey?: boolean;
  deliveries?: readonly Delivery[];
  attempts?: number;
  readOnly?: boolean;
} = {}) {
  const policy = deliveryPolicyFrom({ group_wait: '1s', group_by: ['title'], ...settings }, { perKey });
  const sent: Message[] = [];
  const remaining = [...deliveries];
  const channel: Channel = {
    name: NAME,
    type: 'test',
    policy,
    maxLines: undefined,
    send: (message) => {
      sent.push(message);
      const [next = accepts] = remaining;
      if (remaining.length > 1) remaining.shift();
      return next(message);
    },
  };
  const channels = new Map([[NAME, channel]]);
  const { logTo, log } = collectLog();
  // The worker itself must redact: the journal and the logger redact nothing here.
  const unredacted = (text: string): string => text;
  const journal = openJournal(singleShard(redis), { repeatWindowDays: 7, deadLetterDays: 90 }, unredacted);
  const { redact } = createRedaction([SECRET]);
  const handler = createAlertHandler({
    channels: () => channels,
    store,
    silences: openSilences(singleShard(redis)),
    journal,
    policy: { attempts, baseMs: 600_000, maxMs: 600_000 },
    keepUndeliveredMs: 60_000,
    readOnly,
    consoleUrl: undefined,
    approvals: openApprovals(singleShard(redis)),
    redact,
    metrics: createMetrics(),
    logger: createLogger({ level: 'debug', redact: unredacted, destination: logTo }),
    stop: new AbortController().signal,
  });
  const work = (): Promise<JobOutcome> =>
    handler({
      id: channelJobId(NAME),
      data: { channel: NAME },
      scheduledAt: Date.now(),
      attempt: 1,
      isLastAttempt: false,
      save: () => Promise.resolve(),
      saveWith: () => Promise.resolve(1),
      confirmOwnership: () => Promise.resolve(),
      retryAt: () => Date.now(),
    });
  /** Adds alerts and makes them due. */
  const addDue = async (...alerts: Alert[]): Promise<void> => {
    await journal.ensureTrace(EVENT);
    for (const alert of alerts) await store.add(alert, policy);
    await makeDue();
  };
  const makeDue = async (): Promise<void> => {
    const key = `${KEY_PREFIX}:alerts:groups:${NAME}`;
    const groups = Object.entries(await redis.hgetall(key));
    for (const [group, state] of groups) await redis.hset(key, group, state.replace(/^\d+ \d+/, '1000 1000'));
  };
  const dispatcher = createAlertDispatcher({
    channels: () => channels,
    store,
    queue,
    journal,
    redact,
    readOnly,
  });
  const traces = async () => traceFrom(await redis.hgetall(traceKey(KEY_PREFIX, EVENT.id)))?.alerts ?? [];
  return { work, addDue, channels, channel, sent, dispatcher, traces, log };
}

describe('an error of a channel', () => {
  test('that is unexpected uses up an attempt, and the message becomes undelivered', async () => {
    const { work, addDue, traces, log } = world({
      deliveries: [fails(new URIError(`URI malformed in ${SECRET}`)), accepts],
      attempts: 1,
    });
    await addDue(alertAbout('a'), alertAbout('b'));
    expect(await work()).toEqual({ kind: 'completed' });
    expect(await store.undelivered()).toMatchObject([
      { code: 'channel/unexpected-error', reason: 'URI malformed in [redacted]', attempts: 1 },
    ]);
    expect((await traces()).map(({ status }) => status).sort()).toEqual(['failed', 'sent']);
    expect(log()).not.toContain(SECRET);
    expect(await everythingIn(redis)).not.toContain(SECRET);
  });

  test('that is temporary keeps the message, and a wake-up does not shorten the delay', async () => {
    const { work, addDue, sent } = world({
      deliveries: [fails(new DeliveryError('channel/unavailable', 'busy', { retryable: true }))],
    });
    await addDue(alertAbout('a'));
    const first = await work();
    expect(first).toMatchObject({ kind: 'retry', countsAttempt: false });
    const second = await work();
    expect(second).toMatchObject({ kind: 'retry', at: first.kind === 'retry' ? first.at : 0 });
    expect(sent).toHaveLength(1);
    expect(await store.pendingMessage(NAME)).toMatchObject({ attempts: 1 });
  });

  test('an undelivered message does not suppress the same alert later', async () => {
    const { work, addDue, sent } = world({
      settings: { repeat_interval: '1h' },
      deliveries: [
        fails(new DeliveryError('channel/refused', 'no such channel', { retryable: false })),
        accepts,
      ],
    });
    await addDue(alertAbout('a'));
    await work();
    await addDue({ ...alertAbout('a'), id: 'the same later' });
    await work();
    expect(sent).toHaveLength(2);
  });
});

test('a silenced alert does not suppress the same alert after the silence', async () => {
  const { work, addDue, sent } = world({ settings: { repeat_interval: '1h' } });
  const silences = openSilences(singleShard(redis));
  const silence = await silences.add({
    match: { device_name: 'a' },
    until: new Date(Date.now() + 3_600_000).toISOString(),
    comment: '',
  });
  await addDue(alertAbout('a'));
  await work();
  expect(sent).toHaveLength(0);
  await silences.remove(silence.id);
  await addDue({ ...alertAbout('a'), id: 'the same later' });
  await work();
  expect(sent).toHaveLength(1);
});

test('the trace is written before the message is marked delivered, so that no sent alert stays "queued"', async () => {
  const { addDue, traces, work } = world();
  await addDue(alertAbout('a'));
  const { markDelivered } = store;
  let recorded: string[] = [];
  // The process may die at this moment.
  Object.assign(store, {
    markDelivered: async (...args: Parameters<AlertStore['markDelivered']>) => {
      recorded = (await traces()).map(({ status }) => status);
      return markDelivered(...args);
    },
  });
  await work();
  expect(recorded).toEqual(['sent']);
});

test('a rejected recipient is in the log and in the trace', async () => {
  const { addDue, traces, work, log } = world({
    deliveries: [
      () =>
        Promise.resolve({
          response: 'ok',
          warning: { code: 'channel/partly-refused', message: 'rejected eve@example.org' },
        }),
    ],
  });
  await addDue(alertAbout('a'));
  await work();
  expect(await traces()).toMatchObject([
    { status: 'sent', code: 'channel/partly-refused', reason: 'rejected eve@example.org' },
  ]);
  expect(log()).toMatch(
    /"level":"?(warn|40)"?.*"code":"channel\/partly-refused","reason":"rejected eve@example.org"/,
  );
});

describe('a waiting channel', () => {
  test('is checked when it is due, or in a minute', async () => {
    const { work, channels, channel } = world({ settings: { group_wait: '1h', group_interval: '1h' } });
    await store.add(alertAbout('a'), channel.policy);
    const now = Date.now();
    const outcome = await work();
    expect(outcome.kind === 'retry' && outcome.at).toBeGreaterThanOrEqual(now + 60_000);
    channels.set(NAME, { ...channel, policy: deliveryPolicyFrom({ group_wait: '5s', group_by: ['title'] }) });
    const [group] = await store.openGroups(NAME);
    expect(await work()).toMatchObject({ kind: 'retry', at: (group?.lastAt ?? 0) + 5000 });
  });

  test('is woken early only by a new group', async () => {
    const { dispatcher } = world({ settings: { group_by: ['rule'] } });
    const stateAfter = async (action: () => Promise<void>): Promise<string> => {
      await queue.obliterate({ force: true });
      await queue.add('deliver', { channel: NAME }, { jobId: channelJobId(NAME), delay: 3_600_000 });
      await action();
      return queue.getJobState(channelJobId(NAME));
    };
    expect(await stateAfter(() => wakeChannel(queue, NAME, { promote: false }))).toBe('delayed');
    expect(await stateAfter(() => dispatcher.dispatch(alertAbout('a')))).toBe('waiting');
    expect(await stateAfter(() => dispatcher.dispatch(alertAbout('b')))).toBe('delayed');
    expect(await stateAfter(() => dispatcher.dispatch(alertAbout('c', { rule: 'another' })))).toBe('waiting');
    // The job was active while a group was opened: the periodic check detects that, once.
    expect(await stateAfter(() => wakeBusyChannels(store, queue))).toBe('waiting');
    await store.markChecked(NAME);
    expect(await stateAfter(() => wakeBusyChannels(store, queue))).toBe('delayed');
  });
});

describe('a channel that no rule file defines', () => {
  const setMissingFor = (ms: number): Promise<unknown> =>
    redis.set(`${KEY_PREFIX}:alerts:missing:${NAME}`, Date.now() - ms);

  test('keeps its alerts: the file may be in the middle of a write', async () => {
    const { work, addDue, channels, channel, sent } = world();
    await addDue(alertAbout('a'));
    channels.clear();
    expect(await work()).toMatchObject({ kind: 'retry', countsAttempt: false });
    expect(await store.undelivered()).toEqual([]);
    channels.set(NAME, channel);
    expect(await work()).toEqual({ kind: 'completed' });
    expect(sent).toMatchObject([{ title: 'a joined' }]);
    // A channel that goes missing again has ten new minutes.
    await setMissingFor(700_000);
    await work();
    await addDue(alertAbout('b'));
    channels.set(NAME, channel);
    await work();
    channels.clear();
    await addDue(alertAbout('c'));
    expect(await work()).toMatchObject({ kind: 'retry' });
  });

  test('has undelivered messages after ten minutes', async () => {
    const { work, addDue, channels, traces } = world();
    await addDue(alertAbout('a'));
    channels.clear();
    await work();
    await setMissingFor(700_000);
    expect(await work()).toEqual({ kind: 'completed' });
    expect(await store.undelivered()).toMatchObject([
      {
        channel: NAME,
        code: 'channel/missing',
        reason: 'there is no channel "it-chat" in the rule files',
      },
    ]);
    expect(await traces()).toMatchObject([{ status: 'failed', code: 'channel/missing' }]);
  });

  test('accepts alerts: another process may have newer rules', async () => {
    const { dispatcher, channels } = world();
    channels.clear();
    await dispatcher.dispatch(alertAbout('a'));
    expect(await store.busyChannels()).toEqual([NAME]);
  });
});

test('an alert beyond the first thousand of a group is counted, and its trace says so', async () => {
  const { dispatcher, work, addDue, channel, traces, sent } = world({ settings: { group_by: ['rule'] } });
  await addDue();
  for (let number = 0; number < 1000; number += 1)
    await store.add(alertAbout(`Mac ${number}`, { event: undefined }), channel.policy);
  await dispatcher.dispatch(alertAbout('one more'));
  expect(await traces()).toMatchObject([
    { status: 'counted', code: 'alert/counted-only', reason: expect.stringContaining('1000') },
  ]);
  await addDue();
  await work();
  expect(sent).toMatchObject([{ title: '1001 × New Macs', count: 1001 }]);
});

test('a digest has at most a thousand groups', async () => {
  const { work, addDue, sent } = world({ settings: { digest: { schedule: '0 8 * * *' } } });
  await addDue(...Array.from({ length: 1002 }, (_unused, index) => alertAbout(`Mac ${index}`)));
  await work();
  expect(sent.map(({ count }) => count)).toEqual([1000, 2]);
});

describe('with READ_ONLY', () => {
  test('nothing is sent and nothing is lost', async () => {
    const readOnly = world({ readOnly: true });
    await readOnly.addDue(alertAbout('a'));
    expect(await readOnly.work()).toEqual({ kind: 'completed' });
    expect(readOnly.sent).toEqual([]);
    expect(await store.busyChannels()).toEqual([NAME]);
    const live = world();
    await live.work();
    expect(live.sent).toMatchObject([{ title: 'a joined' }]);
  });

  test('no service alert is dispatched', async () => {
    const { dispatcher } = world({ readOnly: true, settings: { service_alerts: true } });
    await dispatcher.dispatchServiceAlert({
      id: 'x',
      kind: 'failed',
      account: 'acme',
      title: 'a run failed',
      text: '',
      severity: 'warning',
    });
    expect(await store.busyChannels()).toEqual([]);
  });
});

test('a service alert is dispatched once each time its problem begins', async () => {
  const { dispatcher } = world({ settings: { service_alerts: true, group_by: ['service'] } });
  const problem = { account: 'acme', rule: 'r', title: 't', text: '', severity: 'warning' as const };
  const count = async (): Promise<number> =>
    (await store.openGroups(NAME)).reduce((sum, group) => sum + group.count, 0);
  const failed = (since: string) =>
    dispatcher.dispatchServiceAlert({ ...problem, id: 'dead:run', kind: 'failed', since });
  await failed('2026-01-31T08:00:00Z');
  await failed('2026-01-31T08:00:00Z');
  expect(await count()).toBe(1);
  await failed('2026-01-31T09:00:00Z');
  expect(await count()).toBe(2);
  // Every run of a held rule reports the hold; the alert is one.
  for (let run = 1; run <= 2; run += 1)
    await dispatcher.dispatchServiceAlert({
      ...problem,
      id: 'held:acme:r',
      kind: 'held',
      since: '2026-01-31T08:00:00Z',
    });
  expect(await count()).toBe(3);
});

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

describe('a service that knows keys', () => {
  const KEY = 'acme/low-disk/54';
  const trigger = (id: string, more: Partial<Alert> = {}): Alert => ({
    ...alertAbout('Ada', { key: KEY, ...more }),
    id,
  });
  const statuses = (sent: readonly Message[]): string[] =>
    sent.map(({ key, status, count }) => `${status} ${key ?? '-'} × ${count}`);

  test('gets each change of each problem, in order, also in a digest', async () => {
    const { work, addDue, sent } = world({
      perKey: true,
      settings: { digest: { schedule: '* * * * * *' } },
    });
    await addDue(
      trigger('1'),
      trigger('2', { key: 'another' }),
      trigger('3', { title: 'Ada again' }),
      trigger('4', { status: 'resolved' }),
    );
    expect(await work()).toMatchObject({ kind: 'retry' });
    expect(statuses(sent)).toEqual([`triggered ${KEY} × 2`, 'triggered another × 1']);
    await addDue();
    expect(await work()).toEqual({ kind: 'completed' });
    expect(statuses(sent).slice(2)).toEqual([`resolved ${KEY} × 1`]);
  });

  test('gets the end of a problem without the delay of group_interval', async () => {
    const { work, addDue, sent } = world({ perKey: true, settings: { group_interval: '1h' } });
    await addDue(trigger('1'));
    await work();
    await addDue(trigger('2'));
    expect(await work()).toMatchObject({ kind: 'retry' });
    await addDue(trigger('3', { status: 'resolved' }));
    await work();
    await addDue();
    await work();
    expect(statuses(sent)).toEqual([`triggered ${KEY} × 1`, `triggered ${KEY} × 1`, `resolved ${KEY} × 1`]);
  });

  test('gets the end only after the trigger that is being retried', async () => {
    const { work, addDue, sent } = world({
      perKey: true,
      deliveries: [fails(new DeliveryError('channel/unavailable', 'busy', { retryable: true })), accepts],
    });
    await addDue(trigger('1'));
    await work();
    await addDue(trigger('2', { status: 'resolved' }));
    expect(await work()).toMatchObject({ kind: 'retry' });
    expect(statuses(sent)).toEqual([`triggered ${KEY} × 1`]);
    const pending = await store.pendingMessage(NAME);
    if (pending === undefined) throw new Error('no message is pending');
    await store.savePending(NAME, { ...pending, nextAttemptAt: new Date(0).toISOString() });
    expect(await work()).toEqual({ kind: 'completed' });
    expect(statuses(sent)).toEqual([`triggered ${KEY} × 1`, `triggered ${KEY} × 1`, `resolved ${KEY} × 1`]);
  });

  test('gets the end of a problem despite a silence, so that no incident stays open', async () => {
    const { work, addDue, sent, traces } = world({ perKey: true });
    await addDue(trigger('1'));
    await work();
    await openSilences(singleShard(redis)).add({ match: { channel: '*' }, until: inAnHour(), comment: '' });
    await addDue(trigger('2', { status: 'resolved' }), trigger('3', { key: 'another' }));
    await work();
    expect(statuses(sent)).toEqual([`triggered ${KEY} × 1`, `resolved ${KEY} × 1`]);
    expect((await traces()).map(({ status }) => status)).toContain('silenced');
  });
});

describe('recipients', () => {
  test('a digest contains only alerts for the same recipients', async () => {
    const { work, addDue, sent } = world({ settings: { digest: { schedule: '* * * * * *' } } });
    await addDue(
      alertAbout('a', { to: ['ada@example.org'] }),
      alertAbout('b'),
      alertAbout('c', { to: ['ada@example.org'] }),
      alertAbout('d', { to: ['dan@example.org'] }),
    );
    expect(await work()).toEqual({ kind: 'completed' });
    const got = sent.map(({ to, count }) => `${count} to ${to?.join() ?? 'the channel'}`);
    expect(got.sort()).toEqual(['1 to dan@example.org', '1 to the channel', '2 to ada@example.org']);
  });
});

describe('an alert with a link that a person must open', () => {
  const link = { url: 'https://reflex.example.org/approvals/1', label: 'Approve or reject' };

  test('is sent alone, at once and first: not in a digest, not silenced, not as a repeat', async () => {
    const { work, addDue, sent, dispatcher } = world({
      settings: { digest: { schedule: '0 0 1 1 *' }, repeat_interval: '1h' },
    });
    await openSilences(singleShard(redis)).add({ match: { channel: '*' }, until: inAnHour(), comment: '' });
    await addDue(alertAbout('a'));
    await dispatcher.dispatch(alertAbout('b', { link }));
    await dispatcher.dispatch({ ...alertAbout('b', { link }), id: 'asked again' });
    expect(await work()).toEqual({ kind: 'completed' });
    expect(sent.map(({ action, count }) => ({ action, count }))).toEqual([
      { action: link, count: 1 },
      { action: link, count: 1 },
    ]);
  });

  test('stays undelivered like any other, and is sent again', async () => {
    const { work, addDue, sent } = world({
      deliveries: [fails(new DeliveryError('channel/refused', 'no', { retryable: false })), accepts],
    });
    await addDue(alertAbout('b', { link }));
    await work();
    const [undelivered] = await store.undelivered();
    await store.requeue(undelivered?.id ?? '');
    await work();
    expect(sent.map(({ action }) => action)).toEqual([link, link]);
  });
});

test('a resolve of something that was never reported is skipped, and the trace says so', async () => {
  const { dispatcher, addDue, traces } = world();
  await addDue();
  await dispatcher.dispatch(alertAbout('a', { key: 'k', status: 'resolved' }));
  expect(await traces()).toMatchObject([
    { status: 'skipped', reason: 'nothing to resolve: no alert with this key is open' },
  ]);
  expect(await store.openGroups(NAME)).toEqual([]);
});
