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
  store = openAlertStore(redis);
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
