import { afterEach, describe, expect, test } from '@jest/globals';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import { recordWarnings } from '../../../src/simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../../../src/simplemdm/answer-warnings.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdmOptions } from '../../../src/simplemdm/options.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import { all, failureOf } from './failure-of.js';
import { startTinyServer } from './tiny-server.js';
import type { TinyServer } from './tiny-server.js';

const HTML = '<html><head><title>404 Not Found</title></head><body>nginx</body></html>';
const toClose: TinyServer[] = [];

afterEach(async () => {
  await Promise.all(toClose.splice(0).map((server) => server.close()));
});

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: unknown;
}

/** A client of a server that gives the answers one after the other, and the last one from then on. */
async function clientOf(
  answers: readonly Answer[],
  options: Partial<SimpleMdmOptions> = {},
): Promise<{ api: SimpleMdm; requests: string[] }> {
  let next = 0;
  const server = await startTinyServer((_request, response) => {
    const {
      status = 200,
      type = 'application/json',
      body = '',
    } = answers[Math.min(next, answers.length - 1)] ?? {};
    next += 1;
    response.writeHead(status, type === '' ? {} : { 'content-type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  toClose.push(server);
  const api = createSimpleMdm({
    apiKey: 'key',
    baseUrl: server.url,
    retries: 0,
    maxPauseWaitMs: 0,
    ...options,
  });
  return { api, requests: server.requests };
}

const FOREIGN: [string, Answer][] = [
  ['an HTML 404', { status: 404, type: 'text/html', body: HTML }],
  ['an HTML 404 with the content type of JSON', { status: 404, body: HTML }],
  ['an empty 404', { status: 404, body: '' }],
  ['a 404 of a gateway', { status: 404, body: { message: 'no Route matched with those values' } }],
  [
    'a 404 of a gateway with a list of errors',
    { status: 404, body: { errors: [{ code: 7003, message: 'x' }] } },
  ],
  ['a 404 of a framework', { status: 404, body: { status: 404, error: 'Not Found' } }],
  ['a 404 with an empty list of errors', { status: 404, body: { errors: [] } }],
  ['a text 404', { status: 404, type: 'text/plain', body: '404 page not found' }],
  ...[403, 405, 410, 451, 401, 400, 409, 422].map((status): [string, Answer] => [
    `an HTML ${status}`,
    { status, type: 'text/html', body: HTML },
  ]),
  ['a redirect', { status: 302, type: 'text/html', body: HTML }],
  ['an empty redirect', { status: 307, body: '' }],
  ['a login page', { type: 'text/html', body: '<!DOCTYPE html><form action="/login"></form>' }],
  ['a page after blank lines', { type: 'text/plain', body: '\n\n <html></html>' }],
  ['an empty body', { body: '' }],
  ['a 204', { status: 204 }],
  ['truncated JSON', { body: '{"data": {"type": "device", "id": 1, "attr' }],
  ['text', { body: 'undefined' }],
  ['null', { body: 'null' }],
  ['a list', { body: [1] }],
  ['JSON without data', { body: { message: 'ok' } }],
  ['a list in place of a record', { body: { data: [] } }],
  ['text in place of a record', { body: { data: 'text' } }],
  ['no record', { body: { data: null } }],
];

describe('an answer that does not come from SimpleMDM', () => {
  test.each(FOREIGN)('%s is an outage, and never "not found"', async (_name, answer) => {
    const { api } = await clientOf([answer]);
    const calls: ApiCall[] = [];
    const error = await failureOf(recordCalls(calls, () => api.devices.retrieve(1)));
    expect(error).toMatchObject({
      code: 'api/not-simplemdm',
      notFound: false,
      isOutage: true,
      isRetryable: true,
      isAccountUnavailable: false,
      failure: { kind: 'foreign', mayHaveTakenEffect: false },
    });
    expect(error.failure.status).toBeUndefined();
    expect(error.message).toMatch(/not from SimpleMDM: .* with status \d{3}.*captive portal/);
    expect(error.message).not.toMatch(/nginx|<|undefined/);
    // Otherwise whoever watches calls for a refused key would see one.
    expect(calls).toMatchObject([{ error: error.message }]);
    expect(calls[0]?.status).toBeUndefined();
  });

  test('a proxy that wants a password (407) is an outage too: fetch reports it as a network error', async () => {
    const { api } = await clientOf([{ status: 407, type: 'text/html', body: HTML }]);
    expect(await failureOf(api.devices.retrieve(1))).toMatchObject({
      code: 'api/unreachable',
      isOutage: true,
      notFound: false,
      message: expect.stringContaining('407'),
    });
  });

  test.each<[string, Answer]>([
    ['a record in place of a list', { body: { data: {}, has_more: false } }],
    ['no list', { body: { data: null } }],
    ['a page', { body: HTML }],
  ])('%s, where a list is expected', async (_name, answer) => {
    const { api } = await clientOf([answer]);
    expect(await failureOf(all(api.devices.list()))).toMatchObject({ code: 'api/not-simplemdm' });
  });

  test.each<[string, Answer, boolean]>([
    ['a 2xx page may have replaced the answer', { type: 'text/html', body: HTML }, true],
    ['an empty 2xx page too', { type: 'text/html', body: '' }, true],
    ['a refusal stopped the request', { status: 403, type: 'text/html', body: HTML }, false],
    ['a redirect stopped the request', { status: 302, type: 'text/html', body: HTML }, false],
    ['a proxy that does not find it stopped the request', { status: 404, body: '' }, false],
  ])('after a write: %s', async (_name, answer, mayHaveTakenEffect) => {
    const { api } = await clientOf([answer]);
    const error = await failureOf(api.devices.restart(1));
    expect(error).toMatchObject({ code: 'api/not-simplemdm', failure: { mayHaveTakenEffect } });
  });

  test('a page as a download', async () => {
    const { api } = await clientOf([{ type: 'text/html; charset=utf-8', body: HTML }]);
    const error = await failureOf(api.customConfigurationProfiles.download(1));
    expect(error).toMatchObject({ code: 'api/not-simplemdm', isOutage: true });
  });

  test('a 404 page after a lost response does not mean that the object is gone', async () => {
    const { api } = await clientOf(
      [
        { status: 502, type: 'text/html', body: HTML },
        { status: 404, type: 'text/html', body: HTML },
      ],
      { retries: 1 },
    );
    const error = await failureOf(api.devices.delete(1));
    expect(error).toMatchObject({ code: 'api/not-simplemdm', failure: { mayHaveTakenEffect: true } });
  });

  test('a 409 page does not mean that nothing had to change', async () => {
    const { api } = await clientOf([{ status: 409, type: 'text/html', body: HTML }]);
    expect(await failureOf(api.deviceGroups.assignDevice(1, 2))).toMatchObject({ code: 'api/not-simplemdm' });
  });

  test('five in a row open the circuit breaker; reads are tried again first', async () => {
    const states: string[] = [];
    const { api, requests } = await clientOf([{ status: 404, type: 'text/html', body: HTML }], {
      retries: 1,
      onCircuitChange: (state) => void states.push(state),
    });
    await failureOf(api.devices.retrieve(1));
    expect(requests).toHaveLength(2);
    for (let count = 1; count < 5; count += 1) await failureOf(api.devices.restart(1));
    expect(states).toEqual(['open']);
    expect(await failureOf(api.devices.retrieve(1))).toMatchObject({ code: 'api/account-paused' });
  });
});

describe('an answer of SimpleMDM', () => {
  test.each<[string, Answer, string]>([
    [
      'a 404 with the error body',
      { status: 404, body: { errors: [{ title: 'object not found' }] } },
      'api/not-found',
    ],
    [
      'with another content type',
      { status: 404, type: 'text/html', body: { errors: [{ title: 'x' }] } },
      'api/not-found',
    ],
    ['a 401 in JSON', { status: 401, body: { error: 'unauthorized' } }, 'api/refused-key'],
    [
      'a 401 as text',
      { status: 401, type: 'text/plain', body: 'HTTP Basic: Access denied.' },
      'api/refused-key',
    ],
    ['an empty 401', { status: 401, type: '' }, 'api/refused-key'],
    [
      'a 403 in words',
      { status: 403, type: 'text/plain', body: 'This API Key does not have access to this resource.' },
      'api/forbidden',
    ],
    ['an empty 409', { status: 409 }, 'api/conflict'],
    ['a 422 of another shape', { status: 422, body: { error: 'x' } }, 'api/invalid-request'],
    ['a 429 page', { status: 429, type: 'text/html', body: HTML }, 'api/rate-limited'],
    ['a 502 page', { status: 502, type: 'text/html', body: HTML }, 'api/server-error'],
    [
      'an error with the status of a success',
      { body: { errors: [{ title: 'x' }] } },
      'api/unexpected-response',
    ],
  ])('%s', async (_name, answer, code) => {
    const { api } = await clientOf([answer]);
    expect(await failureOf(api.devices.retrieve(1))).toMatchObject({ code });
  });

  test.each<[string, Answer]>([
    ['202', { status: 202 }],
    ['204', { status: 204, type: '' }],
    ['200 with JSON', { body: { data: {} } }],
  ])('a command is done with %s', async (_name, answer) => {
    const { api } = await clientOf([answer]);
    expect(await api.devices.restart(1)).toBe(answer.status ?? 200);
  });

  test('an error in the answer to a command is no success', async () => {
    const { api } = await clientOf([{ body: { errors: [{ title: 'device is not enrolled' }] } }]);
    const error = await failureOf(api.devices.restart(1));
    expect(error).toMatchObject({ code: 'api/unexpected-response', failure: { mayHaveTakenEffect: true } });
    expect(error.message).toContain('device is not enrolled');
  });

  test('JSON with the content type of a page is read', async () => {
    const { api } = await clientOf([
      { type: 'text/html', body: { data: { type: 'device', id: 1, attributes: {} } } },
    ]);
    expect((await api.devices.retrieve(1)).id).toBe(1);
  });
});

describe('fields', () => {
  async function device(attributes: unknown, more: object = {}) {
    const { api } = await clientOf([{ body: { data: { type: 'device', id: 121, attributes, ...more } } }]);
    const warnings: AnswerWarning[] = [];
    const record = await recordWarnings(warnings, () => api.devices.retrieve(121));
    return { record, warnings: warnings.map(({ text }) => text), fields: warnings.map(({ field }) => field) };
  }

  test('a value of another type is converted when nothing is lost', async () => {
    const { record, warnings } = await device({
      imei: 355_555_555_555_555,
      battery_level: 0.87,
      device_capacity: '500.5',
      filevault_enabled: 'true',
      is_supervised: 1,
      is_roaming: 'False',
      location_latitude: '47.6',
    });
    expect(record.attributes).toMatchObject({
      imei: '355555555555555',
      battery_level: '0.87',
      device_capacity: 500.5,
      filevault_enabled: true,
      is_supervised: true,
      is_roaming: false,
      location_latitude: 47.6,
    });
    expect(warnings).toEqual([]);
  });

  test('a number with more digits than a number keeps is not rounded', async () => {
    const body =
      '{"data":{"type":"device","id":121,"attributes":{"iccid":89014103211118510720,"name":"89014103211118510720 \\" 1","odd":12345678901234567890,"device_capacity":12345678901234567890}}}';
    const { api } = await clientOf([{ body }]);
    const { attributes } = await api.devices.retrieve(121);
    expect(attributes).toMatchObject({
      iccid: '89014103211118510720',
      name: '89014103211118510720 " 1',
      odd: '12345678901234567890',
      device_capacity: null,
    });
  });

  test('a fraction with many digits is a number like any other', async () => {
    // What a float of an iPhone looks like as a double.
    const body =
      '{"data":{"type":"device","id":121,"attributes":{"battery_level":0.9300000071525574,"location_latitude":-47.1234567890123,"device_capacity":1.2345678901234567e3,"name":"0.93000000715255741234"}}}';
    const { api } = await clientOf([{ body }]);
    const { attributes } = await api.devices.retrieve(121);
    expect(attributes).toMatchObject({
      battery_level: '0.9300000071525574',
      location_latitude: -47.1234567890123,
      device_capacity: 1234.5678901234567,
      name: '0.93000000715255741234',
    });
  });

  test('what cannot be converted is unknown, and the rest is used', async () => {
    const { record, warnings } = await device({
      name: { value: 'secret-value' },
      serial_number: 'C02',
      device_capacity: 'plenty',
      is_supervised: 'yes',
      firewall: { enabled: 'secret-value', stealth_mode: true },
      os_update: 'none',
      ethernet_macs: ['aa', 7, null, ['bb']],
      service_subscriptions: { slot: 1 },
    });
    expect(record.attributes).toMatchObject({
      name: null,
      serial_number: 'C02',
      device_capacity: null,
      is_supervised: null,
      firewall: { enabled: null, stealth_mode: true },
      os_update: null,
      ethernet_macs: ['aa', '7'],
      service_subscriptions: null,
    });
    expect(warnings.sort()).toEqual([
      'devices 121: device_capacity should be a number and is text: treated as unknown',
      'devices 121: ethernet_macs[] should be text and is a list: left out',
      'devices 121: ethernet_macs[] should be text and is null: left out',
      'devices 121: firewall.enabled should be true or false and is text: treated as unknown',
      'devices 121: is_supervised should be true or false and is text: treated as unknown',
      'devices 121: name should be text and is an object: treated as unknown',
      'devices 121: os_update should be an object and is text: treated as unknown',
      'devices 121: service_subscriptions should be a list and is an object: treated as unknown',
    ]);
    expect(JSON.stringify(warnings)).not.toContain('secret-value');
  });

  test.each<[string, unknown, object, string[]]>([
    ['no attributes', undefined, {}, ['attributes']],
    ['attributes that are a list', [], {}, ['attributes']],
    ['relationships that are text', {}, { relationships: 'none' }, ['relationships']],
    [
      'a group without an id',
      {},
      { relationships: { device_group: { data: { id: null } } } },
      ['relationships.device_group.data'],
    ],
    [
      'a group that is a list',
      {},
      { relationships: { device_group: { data: [{ id: 1 }] } } },
      ['relationships.device_group.data'],
    ],
    ['a type that is a number', {}, { type: { x: 1 } }, ['type']],
  ])('%s', async (_name, attributes, more, expected) => {
    const { record, fields } = await device(attributes, more);
    expect(record.id).toBe(121);
    expect(fields).toEqual(expected);
  });

  test('ids as text are numbers, and a link too', async () => {
    const { record, warnings } = await device(
      {},
      { id: '121', relationships: { device_group: { data: { id: '7' } } } },
    );
    expect(record.id).toBe(121);
    expect(record.relationships?.device_group?.data?.id).toBe(7);
    expect(warnings).toEqual([]);
  });

  test.each([[null], ['x'], [1.5], [true], [{}], ['12345678901234567890']])(
    'a record with the id %j is refused',
    async (id) => {
      const { api } = await clientOf([{ body: { data: { type: 'device', id, attributes: {} } } }]);
      const error = await failureOf(api.devices.retrieve(1));
      expect(error).toMatchObject({ code: 'api/unexpected-response', isOutage: false, isRetryable: true });
      expect(error.message).toContain('id: ');
    },
  );

  test('a record that is refused, in a list, is left out', async () => {
    const reported: AnswerWarning[] = [];
    const { api } = await clientOf(
      [
        {
          body: {
            data: [
              { id: 1, attributes: { name: 'a' } },
              { attributes: { name: 'b' } },
              'c',
              { id: '3', attributes: 4 },
            ],
            has_more: 'false',
          },
        },
      ],
      { onWarning: (warning) => void reported.push(warning) },
    );
    const warnings: AnswerWarning[] = [];
    const found = await recordWarnings(warnings, () => all(api.devices.list()));
    expect(found.map(({ id, attributes }) => [id, attributes.name])).toEqual([
      [1, 'a'],
      [3, undefined],
    ]);
    expect(reported.map(({ kind, resource, field, recordId }) => [kind, resource, field, recordId])).toEqual([
      ['unreadable_record', 'devices', 'id', undefined],
      ['unreadable_record', 'devices', 'id', undefined],
      ['unreadable_field', 'devices', 'attributes', 3],
    ]);
    expect(warnings.length).toBeGreaterThan(0);
  });

  test('every record of every resource is read when it has nothing but an id', async () => {
    const { api } = await clientOf([{ body: { data: { id: 1 } } }]);
    const retrievals: (() => Promise<unknown>)[] = [
      () => api.account.show(),
      () => api.apps.retrieve(1),
      () => api.assignmentGroups.retrieve(1),
      () => api.customAttributes.retrieve('x'),
      () => api.depServers.retrieve(1),
      () => api.depServers.retrieveDepDevice(1, 1),
      () => api.deviceGroups.retrieve(1),
      () => api.devices.retrieve(1),
      () => api.enrollments.show(1),
      () => api.installedApps.retrieve(1),
      () => api.logs.retrieve('1'),
      () => api.profiles.retrieve(1),
      () => api.pushCertificate.show(),
      () => api.scriptJobs.retrieve(1),
      () => api.scripts.retrieve(1),
    ];
    for (const retrieve of retrievals) expect(await retrieve()).toMatchObject({ attributes: {} });
  });
});

describe('lists', () => {
  const page = (ids: readonly unknown[], hasMore: unknown): Answer => ({
    body: { data: ids.map((id) => ({ type: 'script', id, attributes: { name: 'x' } })), has_more: hasMore },
  });
  const full = Array.from({ length: 100 }, (_, index) => index + 1);

  test.each<[string, Answer[], number[], number, RegExp]>([
    ['the same page again and again', [page([1, 2], true)], [1, 2], 2, /only records of earlier pages/],
    [
      'two pages in turn',
      [page([1, 2], true), page([3], true), page([1, 2], true)],
      [1, 2, 3],
      3,
      /earlier pages/,
    ],
    [
      'an empty page that says that there are more',
      [page([1], true), page([], true)],
      [1],
      2,
      /a page is empty/,
    ],
    ['a page without usable ids', [page(['x', null], true)], [], 1, /no record with an id/],
  ])('%s: the records are given, then the list fails', async (_name, answers, ids, calls, problem) => {
    const { api, requests } = await clientOf(answers);
    const found: number[] = [];
    const warnings: AnswerWarning[] = [];
    const error = await failureOf(
      recordWarnings(warnings, async () => {
        for await (const { id } of api.scripts.list()) found.push(id);
      }),
    );
    expect(found).toEqual(ids);
    expect(requests).toHaveLength(calls);
    expect(error).toMatchObject({
      code: 'api/incomplete-list',
      isRetryable: true,
      isOutage: false,
      notFound: false,
    });
    expect(error.message).toMatch(problem);
    expect(warnings).toContainEqual(
      expect.objectContaining({ kind: 'incomplete_list', resource: 'scripts' }),
    );
  });

  test('ids that go backward without an end', async () => {
    let next = 1_000_000;
    const server = await startTinyServer((_request, response) => {
      next -= 2;
      response.end(JSON.stringify({ data: [{ id: next - 1 }, { id: next }], has_more: true }));
    });
    toClose.push(server);
    const api = createSimpleMdm({
      apiKey: 'key',
      baseUrl: server.url,
      rate: { perSecond: 1000, burst: 1000 },
    });
    const error = await failureOf(all(api.scripts.list()));
    expect(error).toMatchObject({ code: 'api/incomplete-list' });
    expect(server.requests.length).toBeLessThan(30);
  });

  test.each<[string, Answer[], number]>([
    ['a record repeated in a page', [page([1, 1, 2], false)], 2],
    ['a record repeated on the next page', [page([1, 2], true), page([2, 3], false)], 3],
    ['has_more as text', [page([1], 'true'), page([2], 'false')], 2],
    ['has_more as a number', [page([1], 1), page([2], 0)], 2],
    ['has_more null', [page([1], null)], 1],
    ['has_more unreadable', [page([1], 'maybe')], 1],
    ['a full page without has_more, then nothing', [page(full, undefined), page([], undefined)], 100],
    ['a full page without has_more, then the same page', [page(full, undefined)], 100],
    ['a full page without has_more, then a second one', [page(full, undefined), page([101], undefined)], 101],
  ])('%s', async (_name, answers, count) => {
    const { api } = await clientOf(answers);
    const ids = (await all(api.scripts.list())).map(({ id }) => id);
    expect(ids).toHaveLength(count);
    expect(new Set(ids).size).toBe(count);
  });

  test('a caller that finds its record does not need the rest', async () => {
    const { api } = await clientOf([page([1, 2], true)]);
    for await (const { id } of api.scripts.list()) if (id === 2) return;
    throw new Error('the record was not found');
  });
});
