import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';
import {
  ADMIN_TOKEN,
  HOOK,
  enrolled,
  isReady,
  problemFrom,
  send,
  startReceiver,
  startReceiverWorld,
  acceptedFrom,
} from './receiver.js';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function expectUnavailable(url: string): Promise<void> {
  const response = await request(url).post(HOOK).send(enrolled(1));
  expect(response.status).toBe(503);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect(problemFrom(response.text)).toMatchObject({
    status: 503,
    code: expect.stringMatching(/^(webhook\/not-queued|http\/unavailable)$/),
    detail: expect.stringMatching(/again/),
  });
}

describe('503', () => {
  test('before Redis is reachable: 503 immediately, but problems of the request come first; then 202', async () => {
    const redis = await startTestRedis();
    stops.push(redis.stop);
    let url = '';
    await redis.restart(async () => {
      const receiver = await startReceiver(redis.url, {}, false);
      stops.push(receiver.stop);
      url = receiver.url;
      await expectUnavailable(url);
      expect((await request(url).post('/webhooks/simplemdm/wrong').send({})).status).toBe(401);
      expect((await request(url).post(HOOK).send({})).status).toBe(400);
      const ready = await request(url).get('/readyz');
      expect(ready.status).toBe(503);
      expect(ready.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(ready.body).toMatchObject({
        type: 'urn:mdm-reflex:error:http/unavailable',
        code: 'http/unavailable',
        status: 503,
        redis: 'unreachable',
        stopping: false,
      });
      expect((await request(url).get('/healthz')).status).toBe(200);
      expect((await request(url).get('/metrics')).status).toBe(200);
      const api = await request(url).get('/api/events').set('Authorization', `Bearer ${ADMIN_TOKEN}`);
      expect(api.status).toBe(503);
      expect(problemFrom(api.text)).toMatchObject({ status: 503, code: 'http/unavailable' });
    });
    await until('the receiver is ready', () => isReady(url));
    expect((await request(url).post(HOOK).send(enrolled(1))).body).toMatchObject({ duplicate: false });
  });

  test('while Redis is stopped, and 202 again afterwards, without losing an accepted event', async () => {
    const world = await startReceiverWorld();
    stops.push(world.stop);
    const first = await request(world.url).post(HOOK).send(enrolled(1));
    expect(first.status).toBe(202);
    await world.redis.restart(async () => {
      await until('the receiver knows', async () => !(await isReady(world.url)));
      for (let attempt = 0; attempt < 3; attempt += 1) await expectUnavailable(world.url);
      await until('the log says so', () => world.log().includes('Redis is unreachable; reconnecting'));
    });
    await until('the receiver is ready again', () => isReady(world.url));
    expect((await request(world.url).post(HOOK).send(enrolled(1))).body).toEqual({
      ...first.body,
      duplicate: true,
    });
    const second = await request(world.url).post(HOOK).send(enrolled(2));
    expect(second.body.duplicate).toBe(false);
    expect((await world.queued()).map(({ id }) => id)).toEqual([first.body.id, second.body.id]);
    expect(world.log()).toMatch(/reconnected to Redis/);
    expect(world.log()).toMatch(/"level":50,.*"code":"redis\/unreachable"/);
    expect(world.log()).toMatch(/"level":50,.*"code":"webhook\/not-queued"/);
    expect(world.log()).toMatch(/"level":40,.*"code":"webhook\/not-queued".*"status":503.*"request failed"/);
  });

  test('a flood while Redis restarts: every 202 is in the queue, every other response is a 503', async () => {
    const world = await startReceiverWorld();
    stops.push(world.stop);
    const taken = new Set<string>();
    const others: number[] = [];
    let flooding = true;
    let next = 1;
    const flood = async (): Promise<void> => {
      while (flooding) {
        const reply = await send(world.url, HOOK, { body: JSON.stringify(enrolled(next++)) });
        if (reply.status === 202) taken.add(acceptedFrom(reply.text).id);
        else others.push(reply.status);
      }
    };
    const floods = Array.from({ length: 8 }, flood);
    await until('some are taken', () => taken.size > 50);
    await world.redis.restart(() =>
      until('some are refused', () => others.length > 50).then(() => undefined),
    );
    const before = taken.size;
    await until('some are taken again', () => taken.size > before + 50);
    flooding = false;
    await Promise.all(floods);
    expect(new Set(others)).toEqual(new Set([503]));
    const queued = new Set((await world.queued()).map(({ id }) => id));
    expect([...taken].filter((id) => !queued.has(id))).toEqual([]);
  });

  test('a Redis that does not respond: 503 in bounded time; sending again enqueues one job', async () => {
    const world = await startReceiverWorld();
    stops.push(world.stop);
    process.kill(world.redis.pid, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      await expectUnavailable(world.url);
      expect(performance.now() - startedAt).toBeLessThan(60_000);
    } finally {
      process.kill(world.redis.pid, 'SIGCONT');
    }
    await until('the receiver is ready again', () => isReady(world.url));
    expect((await request(world.url).post(HOOK).send(enrolled(1))).status).toBe(202);
    expect(await world.queued()).toHaveLength(1);
  });

  test('a Redis whose memory is full', async () => {
    const world = await startReceiverWorld();
    stops.push(world.stop);
    await world.client.config('SET', 'maxmemory', '1');
    await expectUnavailable(world.url);
    await world.client.config('SET', 'maxmemory', '0');
    const again = await request(world.url).post(HOOK).send(enrolled(1));
    expect(again.status).toBe(202);
    expect(again.body.duplicate).toBe(false);
    expect(await world.queued()).toHaveLength(1);
  });
});

test('open requests are answered when the service stops, and then it accepts no connections', async () => {
  const redis = await startTestRedis();
  stops.push(redis.stop);
  const receiver = await startReceiver(redis.url);
  const openRequests = Array.from({ length: 20 }, (_, index) =>
    send(receiver.url, HOOK, { body: JSON.stringify(enrolled(index + 1)) }),
  );
  await openRequests[0];
  await receiver.stop();
  for (const reply of await Promise.allSettled(openRequests)) {
    if (reply.status === 'fulfilled') expect([202, 503]).toContain(reply.value.status);
  }
  await expect(fetch(`${receiver.url}/healthz`)).rejects.toThrow();
});

test('a numeric Redis password damages neither events whose ids contain it nor the list of events', async () => {
  const world = await startReceiverWorld({}, { requirepass: '12345678' });
  stops.push(world.stop);
  const response = await request(world.url).post(HOOK).send(enrolled(12345678));
  expect(response.status).toBe(202);
  const [event] = await world.queued();
  expect(event).toMatchObject(enrolled(12345678));
  const list = await request(world.url).get('/api/events').set('Authorization', `Bearer ${ADMIN_TOKEN}`);
  expect(list.status).toBe(200);
  expect(list.body.events).toHaveLength(1);
});
