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
  await world.clear();
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
    await expectProblem(post().type('json').set('Content-Length', '0'), 400, 'webhook/invalid-json', /empty/);
    const chunked = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 400 /);
  });

  const { at, data } = enrolled(1);
  test.each<[string, Record<string, unknown>]>([
    ['type missing', { at, data }],
    ['type a number', { at, data, type: 7 }],
    ['type empty', { at, data, type: '' }],
  ])('an object without a type: %s', async (_name, body) => {
    await expectProblem(post().send(body), 400, 'webhook/invalid-fields', /^type: expected an event type/);
    expect(await world.queued()).toEqual([]);
  });

  test.each([
    ['a page of a proxy', '<html><body>Blocked</body></html>', /looks like a page in HTML/],
    ['a form', 'device=1&type=x', /looks like a form; send JSON, or a form whose field/],
    ['cut off', '{"type":"device.enrolled","at":"2024', /cut off or damaged/],
    ['nothing', '', /it is empty/],
  ])('the detail and the log say what a body that is not JSON looks like: %s', async (name, body, detail) => {
    const id = `not-json-${name.replaceAll(' ', '-')}`;
    const sent = post().type('json').set('X-Request-Id', id).send(body);
    await expectProblem(sent, 400, 'webhook/invalid-json', detail);
    const line = world
      .log()
      .split('\n')
      .find((found) => found.includes(id) && found.includes('refused'));
    expect(line).toMatch(/"level":40,.*"code":"webhook\/invalid-json"/);
    expect(line).toMatch(detail);
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

describe('odd webhooks are kept: 202, with warnings', () => {
  const body = JSON.stringify(enrolled(1));

  /** The event of a request that must be accepted. */
  async function keptEvent(bytes: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) {
    const reply = await send(world.url, HOOK, { headers, body: bytes });
    expect(reply.status).toBe(202);
    const [event, ...others] = await world.queued();
    expect(others).toEqual([]);
    return event;
  }

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '*/*',
    '',
  ])('Content-Type "%s" with a body that is JSON', async (type) => {
    const event = await keptEvent(body, { 'content-type': type });
    expect(event?.data).toEqual(enrolled(1).data);
    expect(event?.warnings).toEqual([`the content type is "${type}", not application/json`]);
  });

  test('no Content-Type', async () => {
    const reply = await rawExchange(
      world.port,
      `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(reply).toMatch(/^HTTP\/1\.1 202 /);
    expect((await world.queued())[0]?.warnings).toEqual([
      'the content type is missing, not application/json',
    ]);
  });

  test.each([
    'application/vnd.api+json',
    'application/json; charset=latin1',
    'application/json; charset=utf-99',
  ])('Content-Type %s with a body in UTF-8 is not odd', async (type) => {
    expect(await keptEvent(body, { 'content-type': type })).not.toHaveProperty('warnings');
  });

  test.each([
    ['UTF-16, little endian', Buffer.from(body, 'utf16le'), {}, 'read as utf-16le'],
    ['UTF-16 with a byte order mark', Buffer.from(`\uFEFF${body}`, 'utf16le'), {}, 'read as utf-16le'],
    ['UTF-16, big endian', Buffer.from(body, 'utf16le').swap16(), {}, 'read as utf-16be'],
    [
      'Latin-1',
      Buffer.from(body.replace('C02', 'C\u00FF2'), 'latin1'),
      { 'content-type': 'application/json; charset=iso-8859-1' },
      'read as windows-1252',
    ],
  ])('%s', async (name, bytes, headers, how) => {
    const event = await keptEvent(bytes, headers);
    const serial = name === 'Latin-1' ? 'C\u00FF2TEST1' : 'C02TEST1';
    expect(event?.data['device']).toMatchObject({ id: 1, serial_number: serial });
    expect(event?.warnings).toEqual([`the body is not UTF-8: ${how}`]);
  });

  test('JSON in the field "payload" of a form', async () => {
    const form = new URLSearchParams({ payload: body }).toString();
    const event = await keptEvent(form, { 'content-type': 'application/x-www-form-urlencoded' });
    expect(event?.data).toEqual(enrolled(1).data);
    expect(event?.warnings).toContain('the JSON was in the field "payload" of a form');
  });

  const at = enrolled(1).at;
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'an id as a text',
      { type: 'device.enrolled', at, data: { device: { id: '7' } } },
      { data: { device: { id: 7 } } },
    ],
    ['no id', { type: 'device.enrolled', at, data: { device: { serial_number: 'C02' } } }, {}],
    ['data a list', { type: 'fleet.changed', at, data: [1] }, { data: {}, original: { data: [1] } }],
    ['an unknown field', { type: 'test_event', at, data: {}, sender: 5 }, { original: { sender: 5 } }],
    [
      'a type in other letters',
      { type: 'Test_Event', at },
      { type: 'test_event', original: { type: 'Test_Event' } },
    ],
    ['at in seconds', { type: 'test_event', at: 946728000 }, { at: '2000-01-01T12:00:00.000Z' }],
  ])('%s: kept, counted by kind, logged with the code', async (_name, webhook, expected) => {
    const event = await keptEvent(JSON.stringify(webhook));
    expect(event).toMatchObject({ ...expected, warnings: [expect.any(String)] });
    expect(world.log()).toMatch(new RegExp(`"level":40,.*"code":"webhook/odd","event":"${event?.id ?? ''}"`));
  });

  test('without a time: the same body again within minutes is a duplicate, another body is not', async () => {
    const webhook = { type: 'device.enrolled', data: enrolled(1).data };
    const first = await post().send(webhook);
    const again = await post().send({ ...webhook, at: null });
    const other = await post().send({ ...webhook, data: enrolled(2).data });
    expect([first.body.duplicate, again.body.duplicate, other.body.duplicate]).toEqual([false, true, false]);
    expect(again.body.id).toBe(first.body.id);
    const [event] = await world.queued();
    expect(event?.at).toBe(event?.receivedAt);
    expect(event?.warnings).toEqual(['at is missing: the time of receipt is used']);
    // After the ten minutes, the same body is another event.
    const keys = await world.client.keys('*first-receipt*');
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(await world.client.ttl(key)).toBeGreaterThan(0);
      expect(await world.client.ttl(key)).toBeLessThanOrEqual(600);
    }
    await world.client.del(...keys);
    const later = await post().send(webhook);
    expect(later.body.duplicate).toBe(false);
  });
});

describe('415', () => {
  const body = JSON.stringify(enrolled(1));
  test.each([
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
    ['415', () => post().type('json').set('Content-Encoding', 'rot13').send('{}')],
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
    await post().send({ ...enrolled(5003), type: 'a type with spaces' });
    await post().send({});
    const { text, headers } = await request(world.url).get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="device.enrolled",status="202"\} \d+/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="other",status="202"\} \d+/);
    expect(text).toMatch(/mdm_reflex_webhooks_total\{type="none",status="400"\} \d+/);
    expect(text).not.toMatch(/moon|spaces/);
    expect(text).toMatch(/mdm_reflex_webhook_oddities_total\{kind="type"\} \d+/);
    expect(text).toMatch(/mdm_reflex_queue_jobs\{queue="events",state="waiting"\} 3/);
  });
});
