import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Alert } from '../../../src/alerts/alert.js';
import { MAX_ALERTS_PER_GROUP, openAlertStore } from '../../../src/alerts/alert-store.js';
import type { AlertStore, ReadGroup } from '../../../src/alerts/alert-store.js';
import { deliveryPolicyFrom } from '../../../src/alerts/delivery-policy.js';
import type { PendingMessage } from '../../../src/alerts/pending-message.js';
import { everythingIn, startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { alertAbout } from '../../unit/channels/messages.js';

const CHANNEL = 'it-chat';
const KEEP_MS = 60_000;
const calm = deliveryPolicyFrom({ repeat_interval: '1h' });

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

const take = (...alerts: Alert[]) => Promise.all(alerts.map((one) => store.add(one, calm)));

/** The only group there is, as it is now. */
async function readGroup(): Promise<ReadGroup> {
  const [group] = await store.openGroups(CHANNEL);
  const read = group === undefined ? undefined : await store.readGroup(CHANNEL, group.key);
  if (read === undefined) throw new Error('there is no open group');
  return read;
}

const messageOf = (id: string, { key, alerts, more }: ReadGroup): PendingMessage => ({
  id,
  groups: [{ key, alerts: [...alerts], more }],
  at: new Date().toISOString(),
  attempts: 0,
});

const waiting = async (): Promise<string[]> =>
  (await store.openGroups(CHANNEL)).length === 0 ? [] : (await readGroup()).alerts.map(({ title }) => title);

describe('a worker that was out of touch', () => {
  test('does not seal over the message of another, nor take alerts that are in no message', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    expect(await store.createMessage(CHANNEL, messageOf('first', seen), [seen], [])).toBe(true);
    await take(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('second', seen), [seen], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'first' });
    expect(await waiting()).toEqual(['b joined']);
  });

  test('does not seal another group over the message of another worker', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    await take(alertAbout('b', { rule: 'another' }));
    const groups = await store.openGroups(CHANNEL);
    const other = await store.readGroup(CHANNEL, groups.find(({ key }) => key !== seen.key)?.key ?? '');
    if (other === undefined) throw new Error('there is no second group');
    await store.createMessage(CHANNEL, messageOf('first', other), [other], []);
    expect(await store.createMessage(CHANNEL, messageOf('second', seen), [seen], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'first' });
    expect(await waiting()).toEqual(['a joined']);
  });

  test('does not seal what another has told already', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    const first = messageOf('first', seen);
    await store.createMessage(CHANNEL, first, [seen], []);
    await store.markDelivered(CHANNEL, first, Date.now(), calm);
    await take(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('second', seen), [seen], [])).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toBeUndefined();
    expect(await waiting()).toEqual(['b joined']);
  });

  test('neither settles nor puts aside nor writes over the next message', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    const first = messageOf('first', seen);
    await store.createMessage(CHANNEL, first, [seen], []);
    await store.markDelivered(CHANNEL, first, Date.now(), calm);
    await take(alertAbout('b'));
    const next = await readGroup();
    await store.createMessage(CHANNEL, messageOf('second', next), [next], []);
    expect(await store.markDelivered(CHANNEL, first, Date.now(), calm)).toBe(false);
    expect(await store.markUndelivered(CHANNEL, first, 'refused', KEEP_MS)).toBe(false);
    expect(await store.savePending(CHANNEL, { ...first, attempts: 7 })).toBe(false);
    expect(await store.pendingMessage(CHANNEL)).toMatchObject({ id: 'second', attempts: 0 });
    expect(await store.undelivered()).toEqual([]);
  });

  test('what comes while a message is put together waits for the next one', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    await take(alertAbout('b'));
    expect(await store.createMessage(CHANNEL, messageOf('first', seen), [seen], [])).toBe(true);
    expect(await waiting()).toEqual(['b joined']);
  });
});

describe('a message that was put aside', () => {
  async function putAside(...names: string[]): Promise<void> {
    await take(...names.map((name) => alertAbout(name)));
    const seen = await readGroup();
    const message = messageOf(`of-${names.join('-')}`, seen);
    await store.createMessage(CHANNEL, message, [seen], []);
    await store.markUndelivered(CHANNEL, message, 'refused', KEEP_MS);
  }

  test('is put back once, however many retry it at a time', async () => {
    await putAside('a', 'b');
    const put = await Promise.all(Array.from({ length: 5 }, () => store.requeue('of-a-b')));
    expect(put.filter((one) => one !== undefined)).toHaveLength(1);
    expect(await waiting()).toEqual(['a joined', 'b joined']);
    expect(await store.undelivered()).toEqual([]);
    expect(await store.openedChannels()).toEqual([CHANNEL]);
  });

  test('does not make what waits already wait longer', async () => {
    await putAside('a');
    await take(alertAbout('b'));
    const [before] = await store.openGroups(CHANNEL);
    await redis.hset(`mdm-reflex:alerts:groups:${CHANNEL}`, before?.key ?? '', '1000 2000 0');
    await store.requeue('of-a');
    expect(await store.openGroups(CHANNEL)).toMatchObject([{ first: 1000, count: 2 }]);
  });

  test('can be dropped', async () => {
    await putAside('a');
    expect(await store.drop('of-a')).toBe(true);
    expect(await store.drop('of-a')).toBe(false);
    expect(await store.requeue('of-a')).toBeUndefined();
    expect(await store.undelivered()).toEqual([]);
  });

  test('is kept for a while and not for ever', async () => {
    await putAside('a');
    const left = await redis.pttl('mdm-reflex:alerts:aside:of-a');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(KEEP_MS);
    await redis.del('mdm-reflex:alerts:aside:of-a');
    expect(await store.undelivered()).toEqual([]);
    expect(await redis.zcard('mdm-reflex:alerts:aside')).toBe(0);
  });

  test('leaves nothing behind that says that it was told', async () => {
    await putAside('a');
    expect(await take({ ...alertAbout('a'), id: 'another' })).toEqual(['opened']);
  });
});

describe('repeat_interval', () => {
  test('counts from what was told; the text stands in no name of a key', async () => {
    expect(await take(alertAbout('a', { text: 'a text that is told' }))).toEqual(['opened']);
    expect(await take({ ...alertAbout('a', { text: 'a text that is told' }), id: 'x' })).toEqual([
      'repeated',
    ]);
    expect((await redis.keys('*')).join()).not.toContain('a text that is told');
    expect(await everythingIn(redis)).toContain('a text that is told');
  });

  test('forgets what was silenced, but not what another alert has told since', async () => {
    await take(alertAbout('a'));
    const seen = await readGroup();
    await store.createMessage(CHANNEL, undefined, [seen], seen.alerts);
    expect(await take({ ...alertAbout('a'), id: 'second' })).toEqual(['opened']);
    const next = await readGroup();
    await store.createMessage(CHANNEL, undefined, [next], [alertAbout('a')]);
    expect(await take({ ...alertAbout('a'), id: 'third' })).toEqual(['repeated']);
  });
});

test('of a group a thousand alerts are kept, and the number of all', async () => {
  const alerts = Array.from({ length: MAX_ALERTS_PER_GROUP + 5 }, (_unused, index) =>
    alertAbout(`Mac ${index}`),
  );
  const taken = await take(...alerts);
  expect(taken.filter((one) => one === 'counted')).toHaveLength(5);
  expect(await store.openGroups(CHANNEL)).toMatchObject([{ count: MAX_ALERTS_PER_GROUP + 5 }]);
  const seen = await readGroup();
  expect(seen).toMatchObject({ alerts: { length: MAX_ALERTS_PER_GROUP }, more: 5 });
  // One more is counted while the message is put together: what was read is not all any more.
  await take(alertAbout('one more'));
  expect(await store.createMessage(CHANNEL, messageOf('m', seen), [seen], [])).toBe(false);
  const again = await readGroup();
  expect(await store.createMessage(CHANNEL, messageOf('m', again), [again], [])).toBe(true);
  expect(await store.pendingMessage(CHANNEL)).toMatchObject({ groups: [{ more: 6 }] });
  expect(await store.openGroups(CHANNEL)).toEqual([]);
});

test('a channel with nothing left is busy no more', async () => {
  await take(alertAbout('a'));
  expect(await store.busyChannels()).toEqual([CHANNEL]);
  const seen = await readGroup();
  const message = messageOf('m', seen);
  await store.createMessage(CHANNEL, message, [seen], []);
  expect(await store.busyChannels()).toEqual([CHANNEL]);
  await store.markDelivered(CHANNEL, message, Date.now(), calm);
  expect(await store.busyChannels()).toEqual([]);
});
