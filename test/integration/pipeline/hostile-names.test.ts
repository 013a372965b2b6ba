import { expect, test } from '@jest/globals';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';

const world = useWorld();
const service = useChat();

/** A lone surrogate cannot be sent as UTF-8, and no encoding keeps "..", "." and their encoded forms in a path segment. */
const NAMES = HOSTILE_NAMES.filter((name) => !/\p{Surrogate}/u.test(name) && !/^\.{0,2}$/.test(name));

const rules = (): string => `
rules:
  - id: request
    on: test_event
    do:
      - http_request:
          method: POST
          url: '${service.url}/devices/{{ item }}/tickets?name={{ item }}&limit=1'
          headers: { X-Device: '{{ item }}' }
          json: { name: '{{ item }}', about: ['Device {{ item }}'] }
        for_each: event.data.names
        at_most: 500
      - http_request: { method: POST, url: '${service.url}/form', form: { name: '{{ item }}', limit: 1 } }
        for_each: event.data.names
        at_most: 500
  - id: follow
    on: acme.follow
    do:
      - http_request: { url: '{{ event.data.next }}', origins: ['${service.url}'] }`;

test('a request has the same form whatever a name is', async () => {
  const { settled } = await world.start({ rules: rules() });
  await world.post({ type: 'test_event', data: { names: NAMES } });
  const trace = await settled('test_event');
  expect(trace.runs[0]?.steps.map(({ status, reason }) => [status, reason])).toEqual([
    ['completed', undefined],
    ['completed', undefined],
  ]);
  const requests = service.requests();
  expect(requests).toHaveLength(2 * NAMES.length);
  NAMES.forEach((name, index) => {
    const asJson = requests[index];
    const url = new URL(asJson?.path ?? '', service.url);
    expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'devices', name, 'tickets']);
    expect([...url.searchParams]).toEqual([
      ['name', name],
      ['limit', '1'],
    ]);
    expect(asJson?.body).toEqual({ name, about: [`Device ${name}`] });
    expect(Object.keys(asJson?.headers ?? {})).not.toContain('x-injected');
    const asForm = requests[NAMES.length + index];
    expect([...new URLSearchParams(asForm?.text)]).toEqual([
      ['name', name],
      ['limit', '1'],
    ]);
  });
});

test('an address from a response is followed where the rule allows it', async () => {
  const { settled } = await world.start({ rules: rules() });
  await world.post({ type: 'acme.follow', data: { next: `${service.url}/tickets/7?page=2&q=a%20b` } });
  expect((await settled('acme.follow')).status).toBe('completed');
  expect(service.requests().map(({ path }) => path)).toEqual(['/tickets/7?page=2&q=a%20b']);
});

test.each([
  [
    'another host',
    () => 'http://127.0.0.2:9/',
    /^url: leads to http:\/\/127\.0\.0\.2:9, which is not among the origins/,
  ],
  [
    'a password',
    () => service.url.replace('//', '//a:b@'),
    /^url: an address from a value cannot have a user or a password$/,
  ],
  ['another scheme', () => 'file:///etc/passwd', /^url: expected an http\(s\) address, such as/],
])('an address with %s is refused', async (_what, next, reason) => {
  const { settled } = await world.start({ rules: rules() });
  await world.post({ type: 'acme.follow', data: { next: next() } });
  expect((await settled('acme.follow')).runs[0]?.steps[0]).toMatchObject({
    status: 'failed',
    attempts: 1,
    code: 'step/invalid-argument',
    reason: expect.stringMatching(reason),
  });
  expect(service.requests()).toEqual([]);
});
