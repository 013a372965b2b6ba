import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Alert } from '../../../src/alerts/alert.js';
import { MAX_ALERTS_PER_GROUP, openAlertStore } from '../../../src/alerts/alert-store.js';
import type { AlertStore, DeliveryFailure, GroupSnapshot } from '../../../src/alerts/alert-store.js';
import { deliveryPolicyFrom } from '../../../src/alerts/delivery-policy.js';
import type { PendingMessage } from '../../../src/alerts/pending-message.js';
import { everythingIn, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { alertAbout } from '../../unit/channels/messages.js';
import { singleShard } from '../../../src/queues/shards.js';

const CHANNEL = 'it-chat';
const KEEP_MS = 60_000;
const FAILURE: DeliveryFailure = { code: 'channel/refused', reason: 'refused' };
const policy = deliveryPolicyFrom({ repeat_interval: '1h' });

let server: TestRedis;
let redis: Redis;
let store: AlertStore;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  store = openAlertStore(singleShard(redis));
});

const add = (...alerts: Alert[]) => Promise.all(alerts.map((alert) => store.add(alert, policy)));

/** A snapshot of the only open group. */
async function readGroup(): Promise<GroupSnapshot> {
  const [group] = await store.openGroups(CHANNEL);
  const read = group === undefined ? undefined : await store.readGroup(CHANNEL, group.key);
  if (read === undefined) throw new Error('there is no open group');
  return read;
}

const messageOf = (id: string, { key, alerts, more }: GroupSnapshot): PendingMessage => ({
  id,
  groups: [{ key, alerts: [...alerts], more }],
  at: new Date().toISOString(),
  attempts: 0,
});

const waitingTitles = async (): Promise<string[]> =>
  (await store.openGroups(CHANNEL)).length === 0 ? [] : (await readGroup()).alerts.map(({ title }) => title);

describe('a worker that lost its lock', () => {
  test('does not replace the pending message of another worker, nor remove alerts that are in no message', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    expect(await store.createMessage(CHANNEL, messageOf('first', snapshot), [snapshot], [])).toBe(true);
    await add(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('second', snapshot), [snapshot], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'first' });
    expect(await waitingTitles()).toEqual(['b joined']);
  });

  test('does not replace the pending message of another worker with a message of another group', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    await add(alertAbout('b', { rule: 'another' }));
    const groups = await store.openGroups(CHANNEL);
    const other = await store.readGroup(CHANNEL, groups.find(({ key }) => key !== snapshot.key)?.key ?? '');
    if (other === undefined) throw new Error('there is no second group');
    await store.createMessage(CHANNEL, messageOf('first', other), [other], []);
    expect(await store.createMessage(CHANNEL, messageOf('second', snapshot), [snapshot], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'first' });
    expect(await waitingTitles()).toEqual(['a joined']);
  });

  test('does not create a message from alerts that another worker has sent', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    const first = messageOf('first', snapshot);
    await store.createMessage(CHANNEL, first, [snapshot], []);
    await store.markDelivered(CHANNEL, first, Date.now(), policy);
    await add(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('second', snapshot), [snapshot], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toBeUndefined();
    expect(await waitingTitles()).toEqual(['b joined']);
  });

  test('does not mark the next message delivered or undelivered, nor overwrite it', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    const first = messageOf('first', snapshot);
    await store.createMessage(CHANNEL, first, [snapshot], []);
    await store.markDelivered(CHANNEL, first, Date.now(), policy);
    await add(alertAbout('b'));
    const next = await readGroup();
    await store.createMessage(CHANNEL, messageOf('second', next), [next], []);
    expect(await store.markDelivered(CHANNEL, first, Date.now(), policy)).toBe(false);
    expect(await store.markUndelivered(CHANNEL, first, FAILURE, KEEP_MS)).toBe(false);
    expect(await store.savePending(CHANNEL, { ...first, attempts: 7 })).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'second', attempts: 0 });
    expect(await store.undelivered()).toEqual([]);
  });

  test('leaves alerts that were added after its snapshot for the next message', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    await add(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('first', snapshot), [snapshot], [])).toBe(true);
    expect(await waitingTitles()).toEqual(['b joined']);
  });
});

describe('an undelivered message', () => {
  async function createUndelivered(...names: string[]): Promise<void> {
    await add(...names.map((name) => alertAbout(name)));
    const snapshot = await readGroup();
    const message = messageOf(`of-${names.join('-')}`, snapshot);
    await store.createMessage(CHANNEL, message, [snapshot], []);
    await store.markUndelivered(CHANNEL, message, FAILURE, KEEP_MS);
  }

  test('is requeued once, even by concurrent retries', async () => {
    await createUndelivered('a', 'b');
    const requeued = await Promise.all(Array.from({ length: 5 }, () => store.requeue('of-a-b')));
    expect(requeued.filter((message) => message !== undefined)).toHaveLength(1);
    expect(await waitingTitles()).toEqual(['a joined', 'b joined']);
    expect(await store.undelivered()).toEqual([]);
    expect(await store.channelsToRecheck()).toEqual([CHANNEL]);
  });

  test('does not delay the alerts that already wait in its group', async () => {
    await createUndelivered('a');
    await add(alertAbout('b'));
    const [group] = await store.openGroups(CHANNEL);
    await redis.hset(`mdm-reflex:alerts:groups:${CHANNEL}`, group?.key ?? '', '1000 2000 0');
    await store.requeue('of-a');
    expect(await store.openGroups(CHANNEL)).toMatchObject([{ firstAt: 1000, count: 2 }]);
  });

  test('can be dropped', async () => {
    await createUndelivered('a');
    expect(await store.drop('of-a')).toBe(true);
    expect(await store.drop('of-a')).toBe(false);
    expect(await store.requeue('of-a')).toBeUndefined();
    expect(await store.undelivered()).toEqual([]);
  });

  test('expires', async () => {
    await createUndelivered('a');
    const left = await redis.pttl('mdm-reflex:alerts:undelivered:of-a');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(KEEP_MS);
    await redis.del('mdm-reflex:alerts:undelivered:of-a');
    expect(await store.undelivered()).toEqual([]);
    expect(await redis.zcard('mdm-reflex:alerts:undelivered')).toBe(0);
  });

  test('does not make the same alert count as repeated', async () => {
    await createUndelivered('a');
    expect(await add({ ...alertAbout('a'), id: 'another' })).toEqual(['opened']);
  });
});

describe('repeat_interval', () => {
  test('suppresses the same alert; no key contains its text', async () => {
    expect(await add(alertAbout('a', { text: 'the text of the alert' }))).toEqual(['opened']);
    expect(await add({ ...alertAbout('a', { text: 'the text of the alert' }), id: 'x' })).toEqual([
      'repeated',
    ]);
    expect((await redis.keys('*')).join()).not.toContain('the text of the alert');
    expect(await everythingIn(redis)).toContain('the text of the alert');
  });

  test('ignores silenced alerts, unless another alert had the same content since', async () => {
    await add(alertAbout('a'));
    const snapshot = await readGroup();
    await store.createMessage(CHANNEL, undefined, [snapshot], snapshot.alerts);
    expect(await add({ ...alertAbout('a'), id: 'second' })).toEqual(['opened']);
    const next = await readGroup();
    await store.createMessage(CHANNEL, undefined, [next], [alertAbout('a')]);
    expect(await add({ ...alertAbout('a'), id: 'third' })).toEqual(['repeated']);
  });
});

test('a group stores a thousand alerts and counts the rest', async () => {
  const alerts = Array.from({ length: MAX_ALERTS_PER_GROUP + 5 }, (_unused, index) =>
    alertAbout(`Mac ${index}`),
  );
  const results = await add(...alerts);
  expect(results.filter((result) => result === 'counted')).toHaveLength(5);
  expect(await store.openGroups(CHANNEL)).toMatchObject([{ count: MAX_ALERTS_PER_GROUP + 5 }]);
  const snapshot = await readGroup();
  expect(snapshot).toMatchObject({ alerts: { length: MAX_ALERTS_PER_GROUP }, more: 5 });
  // Another alert is counted before the message is created, so the snapshot is outdated.
  await add(alertAbout('one more'));
  expect(await store.createMessage(CHANNEL, messageOf('m', snapshot), [snapshot], [])).toBe(false);
  const again = await readGroup();
  expect(await store.createMessage(CHANNEL, messageOf('m', again), [again], [])).toBe(true);
  expect(await store.pendingMessage(CHANNEL)).toMatchObject({ groups: [{ more: 6 }] });
  expect(await store.openGroups(CHANNEL)).toEqual([]);
});

test('a channel with nothing to send is not busy', async () => {
  await add(alertAbout('a'));
  expect(await store.busyChannels()).toEqual([CHANNEL]);
  const snapshot = await readGroup();
  const message = messageOf('m', snapshot);
  await store.createMessage(CHANNEL, message, [snapshot], []);
  expect(await store.busyChannels()).toEqual([CHANNEL]);
  await store.markDelivered(CHANNEL, message, Date.now(), policy);
  expect(await store.busyChannels()).toEqual([]);
});

describe('a problem', () => {
  const KEY = 'acme/low-disk/54';
  const trigger = (id: string, more: Partial<Alert> = {}): Alert => ({
    ...alertAbout('Ada', { key: KEY, ...more }),
    id,
  });
  const resolve = (id: string, more: Partial<Alert> = {}): Alert =>
    trigger(id, { status: 'resolved', ...more });
  const perKey = deliveryPolicyFrom({ repeat_interval: '1h' }, { perKey: true });
  const stored = async (): Promise<Alert[]> =>
    (
      await Promise.all((await store.openGroups(CHANNEL)).map(({ key }) => store.readGroup(CHANNEL, key)))
    ).flatMap((group) => group?.alerts ?? []);

  test('is resolved once, and only when an alert reported it', async () => {
    expect(await add(resolve('too early'))).toEqual(['not_open']);
    expect(await add(trigger('first'))).toEqual(['opened']);
    expect(await add(resolve('the end'))).toEqual(['joined']);
    expect(await add(resolve('again'))).toEqual(['not_open']);
    expect((await stored()).map(({ status, updates }) => ({ status, updates }))).toEqual([
      { status: 'triggered', updates: undefined },
      { status: 'resolved', updates: 'first' },
    ]);
  });

  test('of another channel, device or key is another one', async () => {
    await add(trigger('first'));
    expect(await add(resolve('b', { key: 'another' }))).toEqual(['not_open']);
    expect(await add(resolve('c', { channel: 'another' }))).toEqual(['not_open']);
  });

  test('a second attempt at an alert changes nothing, also when the first one died before the alert was stored', async () => {
    await add(trigger('first'));
    await add(resolve('the end'));
    expect(await add(resolve('the end'))).toEqual(['duplicate']);
    await redis.del('mdm-reflex:alerts:added:the end:it-chat');
    expect(await add(resolve('the end'))).toEqual(['repeated']);
    await redis.flushall();
    await add(trigger('first'));
    await redis.hset((await redis.keys('*:problem:*'))[0] ?? '', { status: 'resolved', by: 'the end' });
    expect(await add(resolve('the end'))).toEqual(['joined']);
  });

  test('that comes again is no repeat of the one that was resolved; neither is its end', async () => {
    expect(await add(trigger('1'))).toEqual(['opened']);
    expect(await add(trigger('2'))).toEqual(['repeated']);
    expect(await add(resolve('3'))).toEqual(['joined']);
    expect(await add(trigger('4'))).toEqual(['joined']);
    expect(await add(trigger('5'))).toEqual(['repeated']);
    expect(await add(resolve('6'))).toEqual(['joined']);
    expect((await stored()).map(({ id }) => id)).toEqual(['1', '3', '4', '6']);
  });

  test('has a group of its own where the service knows keys; an unknown resolve is passed on', async () => {
    for (const alert of [resolve('0'), trigger('1'), trigger('2', { key: 'another' }), resolve('3')])
      await store.add(alert, perKey);
    expect((await store.openGroups(CHANNEL)).map(({ key, resolves }) => ({ key, resolves }))).toEqual(
      expect.arrayContaining([
        { key: `key:${KEY}`, resolves: true },
        { key: 'key:another', resolves: false },
      ]),
    );
  });

  test('a group of a key is read up to its next change', async () => {
    const noRepeats = deliveryPolicyFrom({}, { perKey: true });
    for (const alert of [trigger('1'), trigger('2'), resolve('3'), trigger('4')])
      await store.add(alert, noRepeats);
    const key = `key:${KEY}`;
    const ids: string[][] = [];
    for (let message = 0; message < 3; message += 1) {
      const snapshot = await store.readGroup(CHANNEL, key, true);
      if (snapshot === undefined) throw new Error('the group is empty');
      ids.push(snapshot.alerts.map(({ id }) => id));
      const created = messageOf(`m${message}`, snapshot);
      expect(await store.createMessage(CHANNEL, created, [snapshot], [])).toBe(true);
      // What is left still resolves the problem, so it does not wait for group_interval.
      if (message < 2) expect(await store.openGroups(CHANNEL)).toMatchObject([{ key, resolves: true }]);
      await store.markDelivered(CHANNEL, created, Date.now(), noRepeats);
    }
    expect(ids).toEqual([['1', '2'], ['3'], ['4']]);
    expect(await store.openGroups(CHANNEL)).toEqual([]);
  });

  test('its end is kept when its group is full', async () => {
    const noRepeats = deliveryPolicyFrom({}, { perKey: true });
    for (let index = 0; index < MAX_ALERTS_PER_GROUP; index += 1)
      await store.add(trigger(`t${index}`), noRepeats);
    expect(await store.add(trigger('one more'), noRepeats)).toBe('counted');
    expect(await store.add(resolve('the end'), noRepeats)).toBe('joined');
  });
});

describe('a group', () => {
  test('contains alerts for the same recipients only, whatever their order', async () => {
    await add(
      alertAbout('a', { to: ['ada@example.org', 'bob@example.org'] }),
      alertAbout('b', { to: ['bob@example.org', 'ada@example.org'] }),
      alertAbout('c', { to: ['ada@example.org'] }),
      alertAbout('d'),
    );
    expect((await store.openGroups(CHANNEL)).map(({ count }) => count).sort()).toEqual([1, 1, 2]);
  });

  test('of an immediate alert contains only that alert, even when it repeats', async () => {
    const link = { url: 'https://reflex.example.org/approvals/1', label: 'Approve' };
    await add(alertAbout('a', { link }), { ...alertAbout('a', { link }), id: 'the same again' });
    expect(await store.openGroups(CHANNEL)).toMatchObject([
      { immediate: true, count: 1 },
      { immediate: true, count: 1 },
    ]);
  });
});
