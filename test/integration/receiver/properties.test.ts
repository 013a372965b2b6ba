import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import {
  HOOK,
  enrolled,
  problemFrom,
  send,
  startReceiver,
  startReceiverWorld,
  acceptedFrom,
} from './receiver.js';
import type { ReceiverWorld, Reply } from './receiver.js';

let world: ReceiverWorld;

beforeAll(async () => {
  world = await startReceiverWorld({ LOG_LEVEL: 'silent' });
});

afterAll(() => world.stop());

const numRuns = 150;
const anyJson = z.looseObject({
  type: z.unknown(),
  at: z.unknown().optional(),
  data: z.unknown().optional(),
});
const anyDevice = z.looseObject({ device: z.unknown().optional() });

/**
 * No 5xx, a body of the documented form, and for every 202 an event in the queue with the content that was sent: as it was sent, or with
 * warnings and the original of what differs.
 *
 * @param body - Undefined when it is not clear what the bytes mean.
 */
async function expectHonest(reply: Reply, body: string | undefined): Promise<void> {
  if (reply.status !== 202) {
    expect([400, 413, 415]).toContain(reply.status);
    expect(problemFrom(reply.text).status).toBe(reply.status);
    return;
  }
  const { id, duplicate } = acceptedFrom(reply.text);
  const job = await world.queue.getJob(id);
  const kept = job?.data.event;
  expect(kept).toBeDefined();
  // A duplicate has the type, time and data of the event that is kept; fields beside them may differ.
  if (body === undefined || duplicate) return;
  const sent = anyJson.parse(JSON.parse(body));
  if (kept?.warnings === undefined) {
    expect(kept?.original).toBeUndefined();
    expectSame(
      { type: kept?.type, at: kept?.at, data: kept?.data },
      { type: sent.type, at: sent.at, data: sent.data ?? {} },
    );
    return;
  }
  expect(kept.warnings.length).toBeGreaterThan(0);
  expect(kept.warnings.length).toBeLessThanOrEqual(10);
  const { original = {} } = kept;
  for (const [name, value] of Object.entries(sent)) {
    if (Object.hasOwn(original, name)) expectSame(original[name], value);
    else if (name === 'type') expectSame(kept.type, value);
    else if (name === 'at') expectSame(kept.at, value);
    else if (name === 'data') expectSame(withoutDevice(kept.data), withoutDevice(value ?? {}));
    else if (name !== 'device') throw new Error(`the field ${name} is lost`);
  }
}

/** The device may be converted: an id that was a text, a device that was beside the data. */
function withoutDevice(data: unknown): unknown {
  const { device: _device, ...rest } = anyDevice.parse(data);
  return rest;
}

function expectSame(found: unknown, expected: unknown): void {
  // The keys of the JSON in the queue may have another order.
  if (!isDeepStrictEqual(found, expected)) expect(JSON.stringify(found)).toBe(JSON.stringify(expected));
  expect(isDeepStrictEqual(found, expected)).toBe(true);
}

async function expectAlive(): Promise<void> {
  const reply = await send(world.url, HOOK, { body: JSON.stringify(enrolled(Date.now())) });
  expect(reply.status).toBe(202);
}

const codeUnits = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom('\uD83D', '\uDE00', '\uD800', '\0', '\u2028', '"', '\\', '{', '[', ',', ':'),
  ),
  maxLength: 60,
});

const memberNames = fc.constantFrom(
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'length',
  'then',
  'toJSON',
);

const keys = fc.oneof(fc.string(), codeUnits, memberNames).filter((key) => key !== '__proto__');

const jsonValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(
      fc.constantFrom(null, true, false),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      codeUnits,
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
  ),
})).value;

const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

const knownType = fc.constantFrom(
  'device.enrolled',
  'device.unenrolled',
  'device.changed_group',
  'device.lock.enabled',
  'abm.device.added',
  'test_event',
);

const typePart = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), memberNames);
const unknownType = fc.array(typePart, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.'));

const device = fc
  .record(
    {
      id: fc.oneof(fc.integer({ min: 1 }), jsonValue),
      udid: fc.option(fc.uuid()),
      serial_number: fc.oneof(fc.string({ minLength: 1 }), fc.constant(null)),
      model: fc.option(fc.string()),
      more: jsonValue,
    },
    { requiredKeys: ['id', 'serial_number'] },
  )
  .map((known) => ({ ...known }));

const data = fc.oneof(
  fc.record({ device }),
  fc.dictionary(keys, jsonValue, { maxKeys: 6 }),
  fc
    .tuple(fc.record({ device }), fc.dictionary(keys, jsonValue, { maxKeys: 4 }))
    .map(([a, b]) => ({ ...b, ...a })),
);

describe('any input: no 5xx, no false 202, and the service still responds', () => {
  test('any JSON value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(jsonValue, fc.jsonValue()), async (value) => {
        const body = JSON.stringify(value);
        await expectHonest(await send(world.url, HOOK, { body }), body);
      }),
      { numRuns },
    );
    await expectAlive();
  });

  test('any envelope: known and unknown types, unknown fields, any data', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(knownType, unknownType),
        time,
        data,
        fc.dictionary(keys, jsonValue, { maxKeys: 3 }),
        async (type, at, content, more) => {
          const body = JSON.stringify({ ...more, type, at, data: content });
          const reply = await send(world.url, HOOK, { body });
          await expectHonest(reply, body);
          if (reply.status === 202) accepted += 1;
        },
      ),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(60);
    await expectAlive();
  });

  test('an envelope with one odd field is accepted, unless the field is a type that is no text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('type', 'at', 'data'), jsonValue, time, async (field, value, at) => {
        const body = JSON.stringify({ ...enrolled(7, at), [field]: value });
        const reply = await send(world.url, HOOK, { body });
        const isWebhook = field !== 'type' || (typeof value === 'string' && value.trim() !== '');
        expect(reply.status).toBe(isWebhook ? 202 : 400);
        await expectHonest(reply, body);
      }),
      { numRuns },
    );
    await expectAlive();
  });

  test('any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), codeUnits, fc.json()), async (body) => {
        await expectHonest(await send(world.url, HOOK, { body }), body);
      }),
      { numRuns },
    );
    await expectAlive();
  });

  test('any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await expectHonest(await send(world.url, HOOK, { body: bytes }), undefined);
      }),
      { numRuns },
    );
    await expectAlive();
  });

  test('a valid webhook with some bytes changed, removed or inserted', async () => {
    const good = Buffer.from(JSON.stringify(enrolled(8)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: good.length }),
        fc.nat({ max: good.length }),
        fc.uint8Array({ maxLength: 4 }),
        async (from, to, bytes) => {
          const body = Buffer.concat([good.subarray(0, from), bytes, good.subarray(to)]);
          // Other bytes are read as UTF-16, or with U+FFFD.
          const isText = isUtf8(body) && !body.includes(0);
          await expectHonest(
            await send(world.url, HOOK, { body }),
            isText ? body.toString('utf8') : undefined,
          );
        },
      ),
      { numRuns },
    );
    await expectAlive();
  });

  test('any header values', async () => {
    const headerValue = fc.string({
      unit: fc
        .integer({ min: 0x20, max: 0xff })
        .filter((unit) => unit !== 0x7f)
        .map((unit) => String.fromCharCode(unit)),
      maxLength: 100,
    });
    const name = fc.constantFrom(
      'content-type',
      'content-encoding',
      'x-webhook-token',
      'authorization',
      'x-request-id',
      'x-forwarded-for',
      'x-forwarded-proto',
      'accept',
      'accept-encoding',
      'if-none-match',
      'range',
      'cookie',
      'x-anything',
    );
    const value = fc.oneof(
      headerValue,
      headerValue.map((text) => `Basic ${text}`),
      headerValue.map((text) => `application/json; charset=${text}`),
      headerValue.map((text) => `application/json;${text}`),
      fc.constantFrom(
        'gzip',
        'deflate',
        'br',
        'zstd',
        'identity',
        'utf-16',
        'application/json; charset=utf-7',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, value, { maxKeys: 5, noNullPrototype: true }),
        fc.nat(),
        async (headers, id) => {
          const body = JSON.stringify(enrolled(id + 1));
          await expectHonest(await send(world.url, HOOK, { headers, body }), body);
        },
      ),
      { numRuns: 250 },
    );
    await expectAlive();
  });

  test('any path below the webhook address: 401, 400 or 404, unless it is the token', async () => {
    const segment = fc
      .oneof(fc.string(), fc.string({ unit: 'binary' }))
      .map((text) => encodeURIComponent(text));
    const raw = fc.stringMatching(/^[%0-9A-Za-z._~!$&'()*+,;=:@-]{0,30}$/);
    const { url, stop } = await startReceiver(world.redis.url, { LOG_LEVEL: 'silent' });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(segment, raw), { maxLength: 3 }), async (parts) => {
        const reply = await send(url, `/webhooks/simplemdm/${parts.join('/')}`, {
          body: JSON.stringify(enrolled(9)),
        });
        expect([400, 401, 404, 429]).toContain(reply.status);
      }),
      { numRuns },
    );
    await stop();
  });
});

describe('known hostile input', () => {
  const at = '2024-07-01T19:28:08.000Z';
  const nested = (open: string, close: string, levels: number): string =>
    open.repeat(levels) + close.repeat(levels);

  test.each([
    ['lists in data', `{"type":"x.y","at":"${at}","data":{"deep":${nested('[', ']', 1e5)}}}`],
    [
      'objects in data',
      `{"type":"x.y","at":"${at}","data":{"deep":${nested('{"a":', '}', 4e4).replace(':}', ':0}')}}}`,
    ],
    ['lists in an unknown field', `{"type":"x.y","at":"${at}","data":{},"deep":${nested('[', ']', 1e5)}}`],
    ['just too deep', `{"type":"x.y","at":"${at}","data":{"deep":${nested('[', ']', 63)}}}`],
  ])('deep nesting is kept as text and flagged: %s', async (_name, body) => {
    expect(body.length).toBeLessThanOrEqual(256 * 1024);
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(202);
    const event = (await world.queue.getJob(acceptedFrom(reply.text).id))?.data.event;
    expect(event?.warnings).toContain(
      'the JSON nests deeper than 64 levels: the values below are kept as text',
    );
    const brackets = (text: string): number => text.split(/[[{]/).length;
    const kept = JSON.stringify({ data: event?.data, original: event?.original });
    expect(brackets(kept)).toBeGreaterThanOrEqual(brackets(body));
    await expectAlive();
  });

  test.each([
    ['lists, as the body', nested('[', ']', 1e5), 'webhook/invalid-fields'],
    ['lists that never end', '['.repeat(2e5), 'webhook/invalid-json'],
  ])('deep nesting that is no webhook: %s', async (_name, body, code) => {
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(400);
    expect(problemFrom(reply.text).code).toBe(code);
    await expectAlive();
  });

  test('the deepest accepted nesting is stored completely', async () => {
    const body = `{"type":"x.y","at":"${at}","data":{"deep":${nested('[', ']', 61)}}}`;
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(202);
    await expectHonest(reply, body);
  });

  test.each([
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__proto__',
    'isPrototypeOf',
    '__defineGetter__',
  ])('the type "%s", a member of every object, is a type like any other', async (type) => {
    const body = JSON.stringify({ type, at, data: { device: { id: 1 } } });
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(202);
    await expectHonest(reply, body);
  });

  test.each([
    [
      'in a device',
      '{"device":{"id":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
    ],
    ['in data', '{"device":{"id":1},"constructor":{"prototype":{"polluted":true}},"prototype":1}'],
    [
      'in an unknown field',
      '{"device":{"id":1}},"__proto__":{"polluted":true,"type":"other"},"constructor":1',
    ],
    ['in a list', '{"device":{"id":1},"list":[{"__proto__":[]},{"__proto__":null}]}'],
  ])('names of the prototype are harmless and stored: %s', async (_name, content) => {
    const body = `{"type":"device.enrolled","at":"${at}","data":${content}}`;
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(202);
    await expectHonest(reply, body);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    await expectAlive();
  });

  test('"__proto__" directly in data is stored too, so that events that differ in it are different', async () => {
    const bodies = ['{"a":1}', '{"a":2}'].map(
      (value) => `{"type":"proto.test","at":"${at}","data":{"__proto__":${value}}}`,
    );
    const ids = new Set<string>();
    for (const body of bodies) {
      const reply = await send(world.url, HOOK, { body });
      expect(reply.status).toBe(202);
      await expectHonest(reply, body);
      ids.add(acceptedFrom(reply.text).id);
    }
    expect(ids.size).toBe(2);
  });

  test.each([
    ['lone surrogates, escaped', '{"device":{"id":1,"serial_number":"\\ud800","\\udfff":"\\ude00\\ud83d"}}'],
    [
      'NUL and control characters, escaped',
      '{"device":{"id":1,"serial_number":"\\u0000\\u0001\\u001b[31m\\u007f\\u2028"}}',
    ],
    ['text outside the basic plane', '{"device":{"id":1,"serial_number":"😀𝔘𝔫𝔦","ключ":"значение"}}'],
    ['large and small numbers', '{"device":{"id":9007199254740991},"n":[1e300,5e-324,-1.5,12303072499,0.1]}'],
    ['an empty name', '{"device":{"id":1,"":""},"":{"":[]}}'],
    [
      'many members',
      `{"device":{"id":1},"many":{${Array.from({ length: 9000 }, (_, index) => `"k${index}":${index}`).join(',')}}}`,
    ],
    ['a long list', `{"device":{"id":1},"many":[${'0,'.repeat(100_000)}0]}`],
    ['repeated names: the last one counts', '{"device":{"id":1},"device":{"id":2}}'],
  ])('%s: accepted and stored', async (_name, content) => {
    const body = `{"type":"device.enrolled","at":"${at}","data":${content}}`;
    const reply = await send(world.url, HOOK, { body });
    expect(reply.status).toBe(202);
    await expectHonest(reply, body);
  });

  test('numbers too large for JavaScript are kept as text, in different events', async () => {
    const kept: unknown[] = [];
    for (const value of ['1e400', '-1e400', 'null', '9007199254740993', '9007199254740992']) {
      const body = `{"type":"x.y","at":"${at}","data":{"value":${value}}}`;
      const reply = await send(world.url, HOOK, { body });
      expect(reply.status).toBe(202);
      kept.push((await world.queue.getJob(acceptedFrom(reply.text).id))?.data.event.data['value']);
    }
    expect(kept).toEqual(['1e400', '-1e400', null, '9007199254740993', 9007199254740992]);
  });

  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a surrogate pair', [0xed, 0xa0, 0x80]],
    ['beyond the last code point', [0xf4, 0x90, 0x80, 0x80]],
    ['cut off', [0xe2, 0x82]],
  ])('bytes that are not UTF-8 are replaced, and the event is kept: %s', async (_name, bytes) => {
    const [head = '', tail = ''] = JSON.stringify(enrolled(1)).split('C02TEST');
    const reply = await send(world.url, HOOK, {
      body: Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]),
    });
    expect(reply.status).toBe(202);
    const event = (await world.queue.getJob(acceptedFrom(reply.text).id))?.data.event;
    expect(event?.data['device']).toMatchObject({
      id: 1,
      serial_number: expect.stringMatching(/^\uFFFD+1$/),
    });
    expect(event?.warnings).toEqual([
      'the body is not UTF-8: bytes that cannot be read are replaced by U+FFFD',
    ]);
  });
});
