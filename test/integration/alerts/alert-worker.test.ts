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
import { findTrace } from '../../../src/journal/find-events.js';
import { openJournal } from '../../../src/journal/journal.js';
import { KEY_PREFIX } from '../../../src/queues/connection.js';
import type { AlertJob } from '../../../src/queues/jobs.js';
import { ALERTS, channelJobId } from '../../../src/queues/queues.js';
import type { JobOutcome } from '../../../src/queues/worker.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';
import { createAlertHandler } from '../../../workers/alert-worker.js';
import {
  createAlertDispatcher,
  wakeChannel,
  wakeBusyChannels,
} from '../../../src/alerts/alert-dispatcher.js';
import { collectLog } from '../../support/log-lines.js';
import { everythingIn, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { alertAbout } from '../../unit/channels/messages.js';

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
  store = openAlertStore(redis);
  queue = new Queue(ALERTS, { connection: redis, prefix: KEY_PREFIX });
});
afterEach(async () => {
  await queue.close();
  redis.disconnect();
});

/** What a channel does with each message in turn; the last goes on for ever. */
type Doing = (message: Message) => Promise<Receipt>;
const takes: Doing = () => Promise.resolve({ answer: 'ok' });
const fails =
  (error: unknown): Doing =>
  () =>
    Promise.reject(error instanceof Error ? error : new Error(String(error)));

function world({
  settings = {},
  does = [takes],
  attempts = 3,
  readOnly = false,
}: {
  settings?: Record<string, unknown>;
  does?: readonly Doing[];
  attempts?: number;
  readOnly?: boolean;
} = {}) {
  const policy = deliveryPolicyFrom({ group_wait: '1s', group_by: ['title'], ...settings });
  const sent: Message[] = [];
  const turns = [...does];
  const channel: Channel = {
    name: NAME,
    type: 'test',
    policy,
    maxLines: undefined,
    send: (message) => {
      sent.push(message);
      const [next = takes] = turns;
      if (turns.length > 1) turns.shift();
      return next(message);
    },
  };
  const channels = new Map([[NAME, channel]]);
  const { logTo, log } = collectLog();
  // What the worker stores and notes must be masked by itself: the journal and the logger here mask nothing.
  const unmasked = (text: string): string => text;
  const journal = openJournal(redis, { repeatWindowDays: 7, deadLetterDays: 90 }, unmasked);
  const { redact } = createRedaction([SECRET]);
  const handler = createAlertHandler({
    channels: () => channels,
    store,
    silences: openSilences(redis),
    journal,
    policy: { attempts, baseMs: 600_000, maxMs: 600_000 },
    keepUndeliveredMs: 60_000,
    readOnly,
    consoleUrl: undefined,
    redact,
    metrics: createMetrics(),
    logger: createLogger({ level: 'debug', redact: unmasked, destination: logTo }),
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
      confirmOwnership: () => Promise.resolve(),
      retryAt: () => Date.now(),
    });
  /** Takes alerts that have waited long enough already. */
  const takeDue = async (...alerts: Alert[]): Promise<void> => {
    await journal.ensureTrace(EVENT);
    for (const one of alerts) await store.add(one, policy);
    await makeDue();
  };
  const makeDue = async (): Promise<void> => {
    const key = `${KEY_PREFIX}:alerts:groups:${NAME}`;
    const groups = Object.entries(await redis.hgetall(key));
    for (const [group, state] of groups) await redis.hset(key, group, state.replace(/^\d+ \d+/, '1000 1000'));
  };
  const teller = createAlertDispatcher({ channels: () => channels, store, queue, journal, redact, readOnly });
  const fates = async () => (await findTrace(redis, EVENT.id))?.alerts ?? [];
  return { work, takeDue, channels, channel, sent, teller, fates, log };
}

describe('what a channel throws', () => {
  test('that nobody foresaw is a failed attempt like any other, and in the end the message is put aside', async () => {
    const { work, takeDue, fates, log } = world({
      does: [fails(new URIError(`URI malformed in ${SECRET}`)), takes],
      attempts: 1,
    });
    await takeDue(alertAbout('a'), alertAbout('b'));
    expect(await work()).toEqual({ kind: 'done' });
    expect(await store.undelivered()).toMatchObject([{ reason: 'URI malformed in [redacted]', attempts: 1 }]);
    expect((await fates()).map(({ status }) => status).sort()).toEqual(['failed', 'sent']);
    expect(log()).not.toContain(SECRET);
    expect(await everythingIn(redis)).not.toContain(SECRET);
  });

  test('for now keeps the message, and being woken does not shorten its pause', async () => {
    const { work, takeDue, sent } = world({ does: [fails(new DeliveryError('busy', { refused: false }))] });
    await takeDue(alertAbout('a'));
    const first = await work();
    expect(first).toMatchObject({ kind: 'again', waits: true });
    const second = await work();
    expect(second).toMatchObject({ kind: 'again', at: first.kind === 'again' ? first.at : 0 });
    expect(sent).toHaveLength(1);
    expect(await store.pendingMessage(NAME)).toMatchObject({ attempts: 1 });
  });

  test('a message that was put aside was told to nobody: the same is told when it comes again', async () => {
    const { work, takeDue, sent } = world({
      settings: { repeat_interval: '1h' },
      does: [fails(new DeliveryError('no such channel', { refused: true })), takes],
    });
    await takeDue(alertAbout('a'));
    await work();
    await takeDue({ ...alertAbout('a'), id: 'the same later' });
    await work();
    expect(sent).toHaveLength(2);
  });
});

test('what was silenced was told to nobody: the same is told when the silence is over', async () => {
  const { work, takeDue, sent } = world({ settings: { repeat_interval: '1h' } });
  const silences = openSilences(redis);
  const silence = await silences.add({
    match: { device_name: 'a' },
    until: new Date(Date.now() + 3_600_000).toISOString(),
    comment: '',
  });
  await takeDue(alertAbout('a'));
  await work();
  expect(sent).toHaveLength(0);
  await silences.remove(silence.id);
  await takeDue({ ...alertAbout('a'), id: 'the same later' });
  await work();
  expect(sent).toHaveLength(1);
});

test('the trace is written before the message is off the list, so that nothing stays "queued" that was sent', async () => {
  const { takeDue, fates, work } = world();
  await takeDue(alertAbout('a'));
  const delivered = store.markDelivered;
  let noted: string[] = [];
  // The moment at which a process may die.
  Object.assign(store, {
    markDelivered: async (...given: Parameters<AlertStore['markDelivered']>) => {
      noted = (await fates()).map(({ status }) => status);
      return delivered(...given);
    },
  });
  await work();
  expect(noted).toEqual(['sent']);
});

test('a recipient that is refused while others are taken is told in the log and in the trace', async () => {
  const { takeDue, fates, work, log } = world({
    does: [() => Promise.resolve({ answer: 'ok', warning: 'not taken for eve@example.org' })],
  });
  await takeDue(alertAbout('a'));
  await work();
  expect(await fates()).toMatchObject([{ status: 'sent', reason: 'not taken for eve@example.org' }]);
  expect(log()).toMatch(/"level":"?(warn|40)"?.*not taken for eve@example.org/);
});

describe('what waits', () => {
  test('is looked at when it is due, or in a minute', async () => {
    const { work, channels, channel } = world({ settings: { group_wait: '1h', group_interval: '1h' } });
    await store.add(alertAbout('a'), channel.policy);
    const now = Date.now();
    const outcome = await work();
    expect(outcome.kind === 'again' && outcome.at).toBeGreaterThanOrEqual(now + 60_000);
    channels.set(NAME, { ...channel, policy: deliveryPolicyFrom({ group_wait: '5s', group_by: ['title'] }) });
    const [group] = await store.openGroups(NAME);
    expect(await work()).toMatchObject({ kind: 'again', at: (group?.last ?? 0) + 5000 });
  });

  test('wakes its channel early only when a group was opened', async () => {
    const { teller } = world({ settings: { group_by: ['rule'] } });
    const stateAfter = async (doing: () => Promise<void>): Promise<string> => {
      await queue.obliterate({ force: true });
      await queue.add('deliver', { channel: NAME }, { jobId: channelJobId(NAME), delay: 3_600_000 });
      await doing();
      return queue.getJobState(channelJobId(NAME));
    };
    expect(await stateAfter(() => wakeChannel(queue, NAME, { soon: false }))).toBe('delayed');
    expect(await stateAfter(() => teller.dispatch(alertAbout('a')))).toBe('waiting');
    expect(await stateAfter(() => teller.dispatch(alertAbout('b')))).toBe('delayed');
    expect(await stateAfter(() => teller.dispatch(alertAbout('c', { rule: 'another' })))).toBe('waiting');
    // The job was at work when a group was opened: the regular look finds that out, once.
    expect(await stateAfter(() => wakeBusyChannels(store, queue))).toBe('waiting');
    await store.markChecked(NAME);
    expect(await stateAfter(() => wakeBusyChannels(store, queue))).toBe('delayed');
  });
});

describe('a channel that is in no rule file', () => {
  const putMissingBack = (ms: number): Promise<unknown> =>
    redis.set(`${KEY_PREFIX}:alerts:missing:${NAME}`, Date.now() - ms);

  test('keeps what it has: the file may be on its way', async () => {
    const { work, takeDue, channels, channel, sent } = world();
    await takeDue(alertAbout('a'));
    channels.clear();
    expect(await work()).toMatchObject({ kind: 'again', waits: true });
    expect(await store.undelivered()).toEqual([]);
    channels.set(NAME, channel);
    expect(await work()).toEqual({ kind: 'done' });
    expect(sent).toMatchObject([{ title: 'a joined' }]);
    // When it is missing another time, its ten minutes begin anew.
    await putMissingBack(700_000);
    await work();
    await takeDue(alertAbout('b'));
    channels.set(NAME, channel);
    await work();
    channels.clear();
    await takeDue(alertAbout('c'));
    expect(await work()).toMatchObject({ kind: 'again' });
  });

  test('is given up after ten minutes: its messages are put aside', async () => {
    const { work, takeDue, channels, fates } = world();
    await takeDue(alertAbout('a'));
    channels.clear();
    await work();
    await putMissingBack(700_000);
    expect(await work()).toEqual({ kind: 'done' });
    expect(await store.undelivered()).toMatchObject([
      { channel: NAME, reason: expect.stringContaining('there is no channel "it-chat"') },
    ]);
    expect(await fates()).toMatchObject([{ status: 'failed' }]);
  });

  test('is told nevertheless by a process that knows it: another may not yet', async () => {
    const { teller, channels } = world();
    channels.clear();
    await teller.dispatch(alertAbout('a'));
    expect(await store.busyChannels()).toEqual([NAME]);
  });
});

test('past a thousand of a group an alert is counted, and its trace says so', async () => {
  const { teller, work, takeDue, channel, fates, sent } = world({ settings: { group_by: ['rule'] } });
  await takeDue();
  for (let number = 0; number < 1000; number += 1)
    await store.add(alertAbout(`Mac ${number}`, { event: undefined }), channel.policy);
  await teller.dispatch(alertAbout('one more'));
  expect(await fates()).toMatchObject([{ status: 'counted', reason: expect.stringContaining('1000') }]);
  await takeDue();
  await work();
  expect(sent).toMatchObject([{ title: '1001 × New Macs', count: 1001 }]);
});

test('a digest takes a thousand groups at a time', async () => {
  const { work, takeDue, sent } = world({ settings: { digest: { schedule: '0 8 * * *' } } });
  await takeDue(...Array.from({ length: 1002 }, (_unused, index) => alertAbout(`Mac ${index}`)));
  await work();
  expect(sent.map(({ count }) => count)).toEqual([1000, 2]);
});

describe('with READ_ONLY', () => {
  test('nothing is sent, and nothing is lost', async () => {
    const quiet = world({ readOnly: true });
    await quiet.takeDue(alertAbout('a'));
    expect(await quiet.work()).toEqual({ kind: 'done' });
    expect(quiet.sent).toEqual([]);
    expect(await store.busyChannels()).toEqual([NAME]);
    const loud = world();
    await loud.work();
    expect(loud.sent).toMatchObject([{ title: 'a joined' }]);
  });

  test('the service keeps its troubles to itself', async () => {
    const { teller } = world({ readOnly: true, settings: { service_alerts: true } });
    await teller.dispatchServiceAlert({
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

test('a trouble is announced once each time that it begins', async () => {
  const { teller } = world({ settings: { service_alerts: true, group_by: ['service'] } });
  const trouble = { account: 'acme', rule: 'r', title: 't', text: '', severity: 'warning' as const };
  const count = async (): Promise<number> =>
    (await store.openGroups(NAME)).reduce((sum, group) => sum + group.count, 0);
  const failed = (since: string) =>
    teller.dispatchServiceAlert({ ...trouble, id: 'dead:run', kind: 'failed', since });
  await failed('2026-01-31T08:00:00Z');
  await failed('2026-01-31T08:00:00Z');
  expect(await count()).toBe(1);
  await failed('2026-01-31T09:00:00Z');
  expect(await count()).toBe(2);
  // Every run of a rule that is held comes upon it; the hold is one.
  for (let run = 1; run <= 2; run += 1)
    await teller.dispatchServiceAlert({
      ...trouble,
      id: 'held:acme:r',
      kind: 'held',
      since: '2026-01-31T08:00:00Z',
    });
  expect(await count()).toBe(3);
});
