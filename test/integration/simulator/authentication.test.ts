import { describe, expect, test } from '@jest/globals';
import { apiKey, call, readOnlyApiKey } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

const basic = (credentials: string) => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});

describe('authentication', () => {
  test('accepts the key as user name with an empty password', async () => {
    const { url } = await simulatorForTest();
    expect(await call(url, '/account')).toMatchObject({ status: 200, body: { data: { type: 'account' } } });
  });

  test.each([
    ['no credentials', { authorization: '' }],
    ['a wrong key', basic('wrong:')],
    ['the key as password', basic(`:${apiKey}`)],
    ['the key with a password', basic(`${apiKey}:x`)],
    ['a bearer token', { authorization: `Bearer ${apiKey}` }],
  ])('%s is a 401 with an error body', async (_, headers) => {
    const { url, simulator } = await simulatorForTest();
    expect(await call(url, '/account', { headers })).toMatchObject({
      status: 401,
      body: { errors: [{ title: expect.any(String) }] },
    });
    expect(simulator.calls()).toMatchObject([{ path: '/account', status: 401, authorized: false }]);
  });

  test('a read-only key can read and gets 403 for a write', async () => {
    const { url } = await simulatorForTest();
    expect((await call(url, '/devices/121', { key: readOnlyApiKey })).status).toBe(200);
    expect(
      await call(url, '/device_groups/37/devices/121', { method: 'POST', key: readOnlyApiKey }),
    ).toMatchObject({
      status: 403,
      body: { errors: [{ title: 'This API Key does not have access to this resource.' }] },
    });
  });

  test('the call log does not contain the key', async () => {
    const { url, simulator } = await simulatorForTest();
    await call(url, '/account');
    const log = JSON.stringify(simulator.calls());
    expect(log).not.toContain(apiKey);
    expect(log).not.toContain(Buffer.from(`${apiKey}:`).toString('base64'));
  });
});

describe('rate limit', () => {
  test('calls beyond the burst get 429 with Retry-After until the bucket refills', async () => {
    const { url, clock } = await simulatorForTest({ rateLimit: { perSecond: 0.5, burst: 2 } });
    expect((await call(url, '/account')).status).toBe(200);
    expect((await call(url, '/account')).status).toBe(200);
    const refused = await call(url, '/account');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    clock.advance(2000);
    expect((await call(url, '/account')).status).toBe(200);
  });
});

describe('headers', () => {
  test('a response has the headers of the real API', async () => {
    const { url } = await simulatorForTest();
    const { headers } = await call(url, '/devices/121');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('max-age=0, private, must-revalidate');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-runtime')).toMatch(/^\d+\.\d{6}$/);
    expect(headers.get('etag')).toMatch(/^W\/"[0-9a-f]{32}"$/);
  });

  test('an ETag that the client has is a 304', async () => {
    const { url } = await simulatorForTest();
    const etag = (await call(url, '/devices/121')).headers.get('etag') ?? '';
    expect(await call(url, '/devices/121', { headers: { 'if-none-match': etag } })).toMatchObject({
      status: 304,
      text: '',
    });
  });

  test('202 has no body and content-length 0', async () => {
    const { url } = await simulatorForTest();
    const reply = await call(url, '/device_groups/37/devices/121', { method: 'POST' });
    expect(reply).toMatchObject({ status: 202, text: '' });
    expect(reply.headers.get('content-length')).toBe('0');
    expect(reply.headers.get('content-type')).toContain('application/json');
  });
});
