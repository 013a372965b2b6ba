import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { HOOK, TOKEN, enrolled, problemFrom, rawExchange, send, startReceiverWorld } from './receiver.js';
import type { ReceiverWorld } from './receiver.js';

let world: ReceiverWorld;

beforeAll(async () => {
  world = await startReceiverWorld();
});

afterAll(() => world.stop());

beforeEach(async () => {
  await world.queue.drain();
});

const post = (path = HOOK) => request(world.url).post(path);

async function expectProblem(
  sent: request.Test,
  status: number,
  code: string,
  detail: RegExp,
): Promise<request.Response> {
  const response = await sent;
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = problemFrom(response.text);
  expect(problem.status).toBe(status);
  expect(problem.code).toBe(code);
  expect(problem.detail).toMatch(detail);
  expect(problem.requestId).toBe(response.headers['x-request-id']);
  return response;
}

describe('202', () => {
  test('an accepted event: its id and that it is new, as JSON', async () => {
    const response = await post().send(enrolled(123456));
    expect(response.status).toBe(202);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(response.body).toEqual({ id: expect.stringMatching(/^[0-9a-f]{64}$/), duplicate: false });
    const [event, ...others] = await world.queued();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      ...enrolled(123456),
      id: response.body.id,
      account: 'default',
      source: 'webhook',
      receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('a repeated webhook is a duplicate, and there is one job', async () => {
    const first = await post().send(enrolled(1001));
    const second = await post().send(enrolled(1001));
    const third = await post().send(enrolled(1001));
    expect([first.status, second.status, third.status]).toEqual([202, 202, 202]);
    expect(first.body.duplicate).toBe(false);
    expect(second.body).toEqual({ id: first.body.id, duplicate: true });
    expect(third.body).toEqual(second.body);
    expect(await world.queued()).toHaveLength(1);
  });

  test('the order of keys, white space and unknown fields do not change the event', async () => {
    const { type, at, data } = enrolled(1002);
    const first = await post().send({ type, at, data });
    const { id, udid, serial_number } = data.device;
    const second = await post()
      .type('json')
      .send(JSON.stringify({ attempt: 2, data: { device: { serial_number, id, udid } }, at, type }, null, 3));
    expect(second.body).toEqual({ id: first.body.id, duplicate: true });
  });

  test('another time, another device and another type are other events', async () => {
    const ids = new Set<unknown>();
    for (const webhook of [
      enrolled(1003),
      enrolled(1003, '2000-01-01T12:00:00.001-07:00'),
      enrolled(1004),
      { ...enrolled(1003), type: 'device.unenrolled' },
    ]) {
      const response = await post().send(webhook);
      expect(response.body.duplicate).toBe(false);
      ids.add(response.body.id);
    }
    expect(ids.size).toBe(4);
  });

  test.each([
    [
      'the published sample',
      '{"type":"device.enrolled","at":"2000-01-01T12:00:00.000+00:00","data":{"device":{"id":123456,"udid":"99919788-340F-40C3-A3F0-E54421B7A6FD","serial_number":"123ABC456XYZ"}}}',
    ],
    ['the test button, empty data', '{"type":"test_event","at":"2024-07-01T19:28:08.000Z","data":{}}'],
    ['the test button, no data', '{"type":"test_event","at":"2024-07-01T19:28:08.000Z"}'],
    [
      'hardware without a device id',
      '{"type":"abm.device.added","at":"2024-07-01T19:28:08.000Z","data":{"device":{"serial_number":"C02","model":"MacBook","colour":"space"}}}',
    ],
    [
      'an unknown type',
      '{"type":"device.moon.landed","at":"2024-07-01T19:28:08.000Z","data":{"device":{"id":"no number"}}}',
    ],
    [
      'unknown fields in known data',
      '{"type":"device.lock.enabled","at":"2024-07-01T19:28:08.000Z","data":{"device":{"id":1,"new":[{"a":null}]},"by":"api"}}',
    ],
    [
      'null where the API may know nothing',
      '{"type":"device.changed_group","at":"2024-07-01T19:28:08.000Z","data":{"device":{"id":1,"udid":null,"serial_number":null}}}',
    ],
  ])('%s is stored unchanged', async (_name, body) => {
    const response = await post().type('json').send(body);
    expect(response.status).toBe(202);
    const [event] = await world.queued();
    expect({ data: {}, ...JSON.parse(body) }).toEqual({
      type: event?.type,
      at: event?.at,
      data: event?.data,
    });
  });

  test.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['application/json;charset="UTF-8"'],
    ['APPLICATION/JSON'],
    ['application/vnd.simplemdm.event+json'],
  ])('Content-Type %s is JSON', async (type) => {
    const body = JSON.stringify(enrolled(2000, '2001-01-01T00:00:00.000Z'));
    expect((await send(world.url, HOOK, { headers: { 'content-type': type }, body })).status).toBe(202);
  });

  test('a body compressed with gzip, and one that begins with a byte order mark', async () => {
    const body = JSON.stringify(enrolled(2001));
    const zipped = await send(world.url, HOOK, {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(body),
    });
    expect(zipped.status).toBe(202);
    expect((await send(world.url, HOOK, { body: `\uFEFF${body}` })).status).toBe(202);
    expect(await world.queued()).toHaveLength(1);
  });

  test('a chunked body without a length', async () => {
    const body = JSON.stringify(enrolled(2002));
    const reply = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `10\r\n${body.slice(0, 16)}\r\n${(body.length - 16).toString(16)}\r\n${body.slice(16)}\r\n0\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('just under 256 KiB', async () => {
    const webhook = { ...enrolled(2003), data: { ...enrolled(2003).data, padding: '' } };
    webhook.data.padding = 'x'.repeat(256 * 1024 - JSON.stringify(webhook).length);
    expect(JSON.stringify(webhook)).toHaveLength(256 * 1024);
    expect((await post().send(webhook)).status).toBe(202);
    expect(await world.queued()).toMatchObject([webhook]);
  });
});

describe('400', () => {
  test.each([
    ['not JSON', '{"type": "device.enrolled",', 'webhook/invalid-json', /not JSON/],
    ['plain text', 'hello', 'webhook/invalid-json', /not JSON/],
    ['a form', 'type=device.enrolled', 'webhook/invalid-json', /not JSON/],
    ['two values', '{} {}', 'webhook/invalid-json', /not JSON/],
    ['a single quote', "{'type':'device.enrolled'}", 'webhook/invalid-json', /not JSON/],
    ['null', 'null', 'webhook/invalid-fields', /the body/],
    ['a number', '17', 'webhook/invalid-fields', /the body/],
    ['a text', '"device.enrolled"', 'webhook/invalid-fields', /the body/],
    ['a list', '[]', 'webhook/invalid-fields', /the body/],
    ['a list of events', JSON.stringify([enrolled(1)]), 'webhook/invalid-fields', /the body/],
  ])('malformed JSON or no object: %s', async (_name, body, code, detail) => {
    await expectProblem(post().type('json').send(body), 400, code, detail);
    expect(await world.queued()).toEqual([]);
  });

  test('an empty body, with a length and without', async () => {
    await expectProblem(
      post().type('json').set('Content-Length', '0'),
      400,
      'webhook/invalid-fields',
      /empty|type/,
    );
    const chunked = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 400 /);
  });

  const good = enrolled(1);
  const device = good.data.device;
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['type missing', { at: good.at, data: good.data }, /^type: .*event type/],
    ['type a number', { ...good, type: 7 }, /^type: /],
    ['type empty', { ...good, type: '' }, /^type: /],
    ['type with a space', { ...good, type: 'device enrolled' }, /^type: /],
    ['type with an empty part', { ...good, type: 'device..enrolled' }, /^type: /],
    ['type too long', { ...good, type: 'x'.repeat(129) }, /^type: .*128/],
    ['at missing', { type: good.type, data: good.data }, /^at: .*ISO 8601/],
    ['at a number', { ...good, at: 946728000 }, /^at: /],
    ['at without an offset', { ...good, at: '2000-01-01T12:00:00.000' }, /^at: /],
    ['at an impossible date', { ...good, at: '2000-02-30T12:00:00.000Z' }, /^at: /],
    ['data a list', { ...good, data: [] }, /^data: .*object/],
    ['data a text', { ...good, data: 'device' }, /^data: .*object/],
    ['data null, which means no data', { ...good, data: null }, /^data\.device: /],
    ['device missing', { ...good, data: {} }, /^data\.device: /],
    ['device a number', { ...good, data: { device: 7 } }, /^data\.device: /],
    ['id missing', { ...good, data: { device: { udid: 'x' } } }, /^data\.device\.id: .*whole number/],
    ['id a text', { ...good, data: { device: { ...device, id: '7' } } }, /^data\.device\.id: /],
    ['id a fraction', { ...good, data: { device: { ...device, id: 7.5 } } }, /^data\.device\.id: /],
    ['id zero', { ...good, data: { device: { ...device, id: 0 } } }, /^data\.device\.id: /],
    ['udid a number', { ...good, data: { device: { ...device, udid: 7 } } }, /^data\.device\.udid: /],
    [
      'hardware without a serial number',
      { ...good, type: 'abm.device.added', data: { device: { model: 'x' } } },
      /^data\.device\.serial_number: .*serial number/,
    ],
    ['data of the test button a list', { ...good, type: 'test_event', data: [] }, /^data: /],
  ])('an invalid envelope, naming the field: %s', async (_name, body, detail) => {
    await expectProblem(post().send(body), 400, 'webhook/invalid-fields', detail);
    expect(await world.queued()).toEqual([]);
  });

  test('bytes that are not UTF-8', async () => {
    const body = Buffer.from(JSON.stringify(enrolled(1)).replace('C02', 'C\u00FF2'), 'latin1');
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(400);
    expect(problemFrom(reply.text)).toMatchObject({
      code: 'webhook/invalid-json',
      detail: 'the body is not valid UTF-8',
    });
  });

  test('a body that is not gzip although the header says so, and a truncated gzip body', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const whole = gzipSync(JSON.stringify(enrolled(1)));
    for (const body of [JSON.stringify(enrolled(1)), whole.subarray(0, whole.length - 12)]) {
      const reply = await send(world.url, HOOK, { headers, body });
      expect(reply.status).toBe(400);
      expect(problemFrom(reply.text).code).toBe('webhook/invalid-json');
    }
    expect(await world.queued()).toEqual([]);
  });

  test('an address that cannot be decoded', async () => {
    const reply = await send(world.url, '/webhooks/simplemdm/%E0%A4%A', { body: '{}' });
    expect(reply.status).toBe(400);
    expect(problemFrom(reply.text).code).toBe('http/invalid-request');
  });
});

describe('413', () => {
  const tooLong = 'x'.repeat(256 * 1024 + 1);

  test('by the length alone, before any byte of the body is sent', async () => {
    const reply = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 262145\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
    expect(reply).toMatch(/application\/problem\+json/);
    expect(reply).toMatch(/256 KiB/);
  });

  test('one byte over', async () => {
    await expectProblem(
      post().type('json').send(JSON.stringify(tooLong)),
      413,
      'webhook/too-large',
      /256 KiB/,
    );
  });

  test('chunked, without a length', async () => {
    const reply = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `${tooLong.length.toString(16)}\r\n${tooLong}\r\n0\r\n\r\n`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each([
    ['a megabyte', 1 << 20],
    ['64 MiB', 1 << 26],
  ])('a gzip bomb of %s', async (_name, size) => {
    const reply = await send(world.url, HOOK, {
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(size, ' ')),
    });
    expect(reply.status).toBe(413);
    expect(problemFrom(reply.text).code).toBe('webhook/too-large');
    expect((await post().send(enrolled(3001))).status).toBe(202);
  });
});

describe('415', () => {
  const body = JSON.stringify(enrolled(1));
  test.each([
    ['text/plain', /text\/plain/],
    ['application/x-www-form-urlencoded', /urlencoded/],
    ['multipart/form-data; boundary=x', /multipart/],
    ['application/jsonp', /jsonp/],
    ['text/json-ish', /json-ish/],
    ['*/*', /\*/],
  ])('Content-Type %s', async (type, detail) => {
    const reply = await send(world.url, HOOK, { headers: { 'content-type': type }, body });
    expect(reply.status).toBe(415);
    const problem = problemFrom(reply.text);
    expect(problem.code).toBe('webhook/unsupported-media-type');
    expect(problem.detail).toMatch(detail);
    expect(await world.queued()).toEqual([]);
  });

  test('no Content-Type', async () => {
    const reply = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 415 /);
    expect(reply).toMatch(/found none/);
  });

  test.each([
    ['an old charset', { 'content-type': 'application/json; charset=latin1' }],
    ['a charset that does not exist', { 'content-type': 'application/json; charset=utf-99' }],
    ['an encoding that does not exist', { 'content-encoding': 'rot13' }],
    ['two encodings', { 'content-encoding': 'gzip, gzip' }],
  ])('%s', async (_name, headers) => {
    const reply = await send(world.url, HOOK, { headers, body });
    expect(reply.status).toBe(415);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(problemFrom(reply.text).code).toBe('webhook/unsupported-media-type');
    expect(await world.queued()).toEqual([]);
  });
});

describe('405 and 404', () => {
  test.each(['get', 'put', 'patch', 'delete', 'options', 'head'] as const)('%s', async (method) => {
    for (const path of ['/webhooks/simplemdm', HOOK, `/webhooks/simplemdm/default/${TOKEN}`]) {
      const response = await request(world.url)[method](path);
      expect(response.status).toBe(405);
      expect(response.headers['allow']).toBe('POST');
      if (method === 'head') continue;
      const problem = problemFrom(response.text);
      expect(problem.code).toBe('webhook/method-not-allowed');
      expect(problem.detail).toMatch(/POST.*SimpleMDM/);
    }
  });

  test('an unknown address', async () => {
    await expectProblem(post('/'), 404, 'http/not-found', /POST \/webhooks\/simplemdm/);
    await expectProblem(post(`${HOOK}/one/more`), 404, 'http/not-found', /webhooks/);
    await expectProblem(request(world.url).get('/webhooks'), 404, 'http/not-found', /webhooks/);
  });
});

describe('every response', () => {
  const answers: [string, () => request.Test][] = [
    ['202', () => post().send(enrolled(4001))],
    ['400', () => post().send({})],
    ['401', () => post('/webhooks/simplemdm/wrong').send({})],
    ['404', () => post('/nothing')],
    ['405', () => request(world.url).get(HOOK)],
    ['415', () => post().type('text').send('x')],
    ['200', () => request(world.url).get('/healthz')],
  ];

  test.each(answers)(
    '%s carries the security headers and does not name the framework',
    async (status, sent) => {
      const { headers, status: answered } = await sent();
      expect(String(answered)).toBe(status);
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['content-security-policy']).toMatch(/default-src 'self'/);
      expect(headers['strict-transport-security']).toMatch(/max-age=/);
    },
  );

  test.each(answers)('%s carries the request id of the request, or a new one', async (_status, sent) => {
    const given = `proxy.${randomUUID()}`;
    expect((await sent().set('X-Request-Id', given)).headers['x-request-id']).toBe(given);
    const first = (await sent()).headers['x-request-id'];
    const second = (await sent()).headers['x-request-id'];
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
  });

  test.each(['', ' ', 'a b', '<script>', 'x'.repeat(65), '{"a":1}'])(
    'an odd request id (%j) is replaced',
    async (given) => {
      const { headers } = await post().set('X-Request-Id', given).send(enrolled(4002));
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test('the request id is in the log', async () => {
    await post().set('X-Request-Id', 'find-me-in-the-log').send(enrolled(4003));
    expect(world.log()).toMatch(/"requestId":"find-me-in-the-log".*event accepted/);
  });
});

describe('health', () => {
  test('GET /healthz and /readyz', async () => {
    expect((await request(world.url).get('/healthz')).body).toEqual({ status: 'alive' });
    const ready = await request(world.url).get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body).toMatchObject({ status: 'ready', redis: 'ok', stopping: false });
  });

  test('GET /metrics counts webhooks by type and status; an unknown type is "other"', async () => {
    await post().send(enrolled(5001));
    await post().send({ ...enrolled(5002), type: 'device.moon.landed' });
    await post().send({});
    const { text, headers } = await request(world.url).get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="device.enrolled",status="202"\} \d+/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="other",status="202"\} \d+/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="none",status="400"\} \d+/);
    expect(text).not.toMatch(/moon/);
    expect(text).toMatch(/mdm_reflex_queue_jobs\{queue="events",state="waiting"\} 2/);
  });
});
