import { describe, expect, test } from '@jest/globals';
import { call, json, recordOf } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

const fields = { script_id: '32', device_ids: '54,56,121' };

describe('write parameters', () => {
  test.each([
    ['a query string', '/script_jobs?script_id=32&device_ids=54,56,121', { method: 'POST' }],
    ['a form', '/script_jobs', { method: 'POST', body: new URLSearchParams(fields) }],
    ['multipart', '/script_jobs', { method: 'POST', body: form(fields) }],
    ['JSON', '/script_jobs', json('POST', fields)],
    [
      'JSON with a number and a list',
      '/script_jobs/',
      json('POST', { script_id: 32, device_ids: [54, 56, 121] }),
    ],
    [
      'a form with a repeated field',
      '/script_jobs',
      {
        method: 'POST',
        body: new URLSearchParams([
          ['script_id', '32'],
          ['device_ids[]', '54'],
          ['device_ids[]', '56'],
        ]),
      },
    ],
  ])('come as %s', async (_, path, init) => {
    const { url } = await simulatorForTest();
    const reply = await call(url, path, init);
    expect(reply.status).toBe(201);
    expect(recordOf(reply).relationships).toEqual({
      device: {
        data: [54, 56].map((id) => ({
          type: 'device',
          id,
          status: 'pending',
          status_code: null,
          response: null,
        })),
      },
    });
  });

  test('the call log has the parameters of every encoding', async () => {
    const { url, simulator } = await simulatorForTest();
    await call(url, '/script_jobs?x=1', { method: 'POST', body: form(fields) });
    expect(simulator.calls()).toMatchObject([
      {
        method: 'POST',
        path: '/script_jobs',
        query: { x: '1' },
        body: fields,
        status: 201,
        authorized: true,
      },
    ]);
    simulator.clearCalls();
    expect(simulator.calls()).toEqual([]);
  });

  test('accepts a file as multipart', async () => {
    const { url } = await simulatorForTest();
    const data = form({ name: 'Grüße', variable_support: '1' });
    data.append('file', new Blob(['#!/bin/sh\necho "héllo"\n']), 'hello.sh');
    const reply = await call(url, '/scripts', { method: 'POST', body: data });
    expect(reply.status).toBe(201);
    expect(recordOf(reply)).toMatchObject({
      id: 35,
      attributes: { name: 'Grüße', variable_support: true, content: '#!/bin/sh\necho "héllo"\n' },
    });
    expect((await call(url, '/scripts', json('POST', { name: 'x', file: 'echo' }))).status).toBe(422);
    expect((await call(url, '/scripts/35', json('PATCH', { variable_support: 'false' }))).body).toMatchObject(
      {
        data: { attributes: { name: 'Grüße', variable_support: false } },
      },
    );
    expect((await call(url, '/scripts/35', { method: 'DELETE' })).status).toBe(204);
  });

  test('accepts a file as multipart that is sent as JSON', async () => {
    const { url } = await simulatorForTest();
    const body =
      '--b7\r\nContent-Disposition: form-data; name="file"; filename="x.sh"\r\n\r\n#!/bin/sh\r\n--b7--\r\n';
    const reply = await call(url, '/scripts?name=Test', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(recordOf(reply).attributes).toMatchObject({ name: 'Test', content: '#!/bin/sh' });
  });

  test('a POST with _method=PATCH is a PATCH', async () => {
    const { url, simulator } = await simulatorForTest();
    const reply = await call(url, '/devices/121/', {
      method: 'POST',
      body: new URLSearchParams({ _method: 'patch', name: 'Renamed' }),
    });
    expect(recordOf(reply).attributes['name']).toBe('Renamed');
    expect(simulator.calls()).toMatchObject([{ method: 'PATCH', path: '/devices/121' }]);
  });

  test.each([
    ['application/json', '{"script_id":'],
    ['application/json', '[1]'],
    ['multipart/form-data', 'no boundary'],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nunfinished'],
  ])('a body that is not %s is a 400', async (type, body) => {
    const { url } = await simulatorForTest();
    expect(
      (await call(url, '/script_jobs', { method: 'POST', body, headers: { 'content-type': type } })).status,
    ).toBe(400);
  });
});
