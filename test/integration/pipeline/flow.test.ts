import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { startChat } from '../../support/chat.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN, API_KEY } from '../../support/world.js';
import type { World, WorldOptions } from '../../support/world.js';

const world = useWorld();
const service = useChat();
const { post } = world;

const begin = (rules: string, more: Partial<WorldOptions> = {}): Promise<World> =>
  world.start({ rules, ...more });

const rule = (steps: string, about = 'on: device.enrolled'): string => `
rules:
  - id: flow
    ${about}
    do:
${steps}`;

describe('wait', () => {
  const WAITS = rule(`
      - log: "before: {{ device.name }}"
      - wait: 3s
        id: pause
      - log: "after: {{ device.name }}"
        id: last`);

  test('keeps no worker busy, outlives a restart, and later steps look up fresh facts', async () => {
    const { simulator, settled, restartService, calls } = await begin(WAITS, {
      env: { WORKER_CONCURRENCY: '1' },
    });
    const device = simulator.enroll({ kind: 'macbook', name: 'Old name' });
    const waiting = await settled('device.enrolled', ['waiting']);
    expect(waiting.runs[0]?.steps).toMatchObject([
      { status: 'completed', output: { message: 'before: Old name' } },
      { status: 'waiting', reason: expect.stringContaining('waits until') },
      { status: 'pending' },
    ]);
    await restartService();
    const renamed = await fetch(`${simulator.url}/devices/${device.id}`, {
      method: 'PATCH',
      headers: { Authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}` },
      body: new URLSearchParams({ name: 'New name' }),
    });
    expect(renamed.status).toBe(200);
    const trace = await settled('device.enrolled');
    expect(trace.runs[0]?.steps).toMatchObject([
      { status: 'completed', attempts: 1 },
      { status: 'completed', attempts: 1 },
      { status: 'completed', output: { message: 'after: New name' } },
    ]);
    expect(calls().filter((call) => call === `GET /devices/${device.id}`).length).toBeGreaterThanOrEqual(2);
  });
});

describe('run_script with wait', () => {
  const SAYS = rule(`
      - run_script: { script: Say hi, wait: 1m }
        id: hello
      - log: "it said {{ steps.hello.response }} ({{ steps.hello.status_code }})"
        if: steps.hello.status == "completed"
        id: last`);

  test('follows the job to its end and outputs the response of the script', async () => {
    const { simulator, settled } = await begin(SAYS);
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.runs[0]?.steps).toMatchObject([
      {
        status: 'completed',
        output: { status_code: '0', response: expect.any(String), script_name: 'Say hi' },
      },
      { status: 'completed', output: { message: expect.stringMatching(/^it said .*\(0\)$/) } },
    ]);
    expect(
      simulator.calls().filter(({ method, path }) => method === 'POST' && path === '/script_jobs'),
    ).toHaveLength(1);
  });

  test('fails when the device does not respond in time, and names the job', async () => {
    const { simulator, settled } = await begin(SAYS.replace('wait: 1m', 'wait: 1s'), {
      simulator: { delays: { groupChangeMs: 5, scriptJobMs: 600_000 } },
    });
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('failed');
    expect(trace.runs[0]?.steps[0]).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^no response from the device within 1 s; job \d+ is still pending$/),
      output: { job_id: expect.any(Number) },
    });
  });
});

describe('for_each', () => {
  const EACH = (more: string): string =>
    rule(`
      - log: "{{ item.name }} {{ item.version }}"
        id: names
        for_each: apps.filter(a, a.managed != true)
${more}
      - log: "{{ steps.names.count }} apps, the first: {{ steps.names.items[0].message }}"
        id: last`);

  test('performs the step for each item, each with its own record', async () => {
    const { simulator, settled } = await begin(EACH(''));
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('completed');
    const [names, last] = trace.runs[0]?.steps ?? [];
    const count = names?.itemRecords?.length ?? 0;
    expect(count).toBeGreaterThan(0);
    expect(names).toMatchObject({ status: 'completed', output: { count } });
    expect(names?.itemRecords?.every(({ status }) => status === 'completed')).toBe(true);
    expect(last?.output).toMatchObject({ message: expect.stringContaining(`${count} apps, the first: `) });
  });

  test('does nothing when the list is longer than at_most', async () => {
    const { simulator, settled } = await begin(EACH('        at_most: 1'));
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.runs[0]?.steps[0]).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^for_each has \d+ items, at_most allows 1: nothing was done$/),
      calls: [],
    });
    expect(trace.runs[0]?.steps[0]?.itemRecords).toBeUndefined();
  });

  test('continues behind the finished items when an item retries', async () => {
    service.answerNext({ status: 200 }, { status: 503 }, { status: 200 });
    const { settled } = await begin(
      rule(
        `
      - http_request: { method: POST, url: "${service.url}/{{ item }}", json: { x: "{{ item }}" } }
        for_each: '["a", "b", "c"]'
        id: posts`,
        'on: test_event',
      ),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.status).toBe('completed');
    expect(service.requests().map(({ path }) => path)).toEqual(['/a', '/b', '/b', '/c']);
  });
});

describe('timeout', () => {
  test('ends a step that keeps retrying', async () => {
    service.answerNext(...Array.from({ length: 200 }, () => ({ status: 503 })));
    const { settled } = await begin(
      rule(
        `
      - http_request: { url: "${service.url}/" }
        timeout: 1s
        on_error: continue
        id: call
      - log: "{{ steps.call.status }}"`,
        'on: test_event',
      ),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.runs[0]?.steps).toMatchObject([
      { status: 'failed', reason: expect.stringContaining('returned 503') },
      { status: 'completed', output: { message: 'failed' } },
    ]);
  });

  test('cancels a call that hangs', async () => {
    const { simulator, settled } = await begin(
      rule(`
      - run_script: { script: Say hi }
        timeout: 1s`),
      { env: { API_TIMEOUT_MS: '60000' } },
    );
    simulator.addFault({ method: 'POST', path: '/script_jobs', kind: 'hang', times: 1 });
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.runs[0]?.steps[0]).toMatchObject({
      status: 'failed',
      reason: 'the step timed out (timeout)',
      code: 'step/timeout',
      // The call may have taken effect, so a replay must look for the job.
      inDoubtSince: expect.any(String),
    });
  });
});

describe('http_request', () => {
  test('sends signed JSON and outputs the response', async () => {
    service.answerNext({ status: 201, body: '{"ticket": 7}' });
    const { settled } = await begin(
      rule(
        `
      - http_request:
          method: POST
          url: "${service.url}/tickets"
          headers: { X-Team: it }
          json: { title: "{{ event.type }}", tags: [mdm, 1] }
          secret: "\${env:TICKET_SECRET}"
        id: ticket
      - log: "ticket {{ steps.ticket.json.ticket }}"`,
        'on: test_event',
      ),
      { env: { TICKET_SECRET: `whsec_${Buffer.from('the secret of the tickets 12').toString('base64')}` } },
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.runs[0]?.steps).toMatchObject([
      { status: 'completed', output: { status_code: 201, json: { ticket: 7 } } },
      { status: 'completed', output: { message: 'ticket 7' } },
    ]);
    expect(service.requests()).toMatchObject([
      {
        path: '/tickets',
        body: { title: 'test_event', tags: ['mdm', 1] },
        headers: {
          'x-team': 'it',
          'content-type': 'application/json',
          'idempotency-key': expect.any(String),
          'webhook-signature': expect.stringMatching(/^v1,/),
        },
      },
    ]);
  });

  test('fails on an unexpected status and quotes the response', async () => {
    service.answerNext({ status: 422, body: 'no such queue' });
    const { settled } = await begin(
      rule(
        `      - http_request: { method: POST, url: "${service.url}/", form: { a: 1 } }`,
        'on: test_event',
      ),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.reason).toMatch(
      /POST http:\/\/127\.0\.0\.1:\d+\/ returned 422: no such queue; expected 2xx/,
    );
    expect(service.requests()[0]?.text).toBe('a=1');
  });
});

describe('emit', () => {
  test('emits one event about the same device for other rules', async () => {
    const { simulator, settled } = await begin(`
rules:
  - id: first
    on: device.enrolled
    do:
      - emit: { type: acme.laptop.ready, data: { owner: Ada } }
  - id: second
    on: acme.laptop.ready
    do:
      - log: "{{ event.data.owner }} has {{ device.name }}"
        id: said`);
    simulator.enroll({ kind: 'macbook', name: 'Mac 1' });
    const trace = await settled('acme.laptop.ready');
    expect(trace).toMatchObject({
      source: 'rule',
      causedBy: { rule: 'first', chainLength: 1 },
      runs: [{ rule: 'second', steps: [{ output: { message: 'Ada has Mac 1' } }] }],
    });
  });

  test('a loop of emitted events is cut', async () => {
    const { log } = await begin(`
rules:
  - id: round
    on: [test_event, acme.round]
    do:
      - emit: { type: acme.round }`);
    await post({ type: 'test_event' });
    await until('the chain is cut', () => log().includes('rules cause each other in a loop'));
  });

  test('a header with an invalid value fails the step without retry and names the header', async () => {
    const { settled } = await begin(
      rule(
        `      - http_request: { method: POST, url: "${service.url}/", headers: { X Device: a } }`,
        'on: test_event',
      ),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.runs[0]?.steps[0]).toMatchObject({
      status: 'failed',
      attempts: 1,
      reason: expect.stringMatching(/^the header "X Device" cannot be sent: .* Latin-1 characters$/),
    });
  });

  test('credentials in the URL are sent as a header and do not show in traces or logs', async () => {
    service.answerNext({ status: 404 });
    const { settled, log } = await begin(
      rule(
        `      - http_request: { method: POST, url: "${service.url.replace('//', '//bob:s3cr3t-pw@')}/x" }`,
        'on: test_event',
      ),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(service.requests()[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('bob:s3cr3t-pw').toString('base64')}`,
    );
    expect(trace.runs[0]?.steps[0]?.calls).toMatchObject([
      { method: 'POST', path: `${service.url}/x`, status: 404 },
    ]);
    expect(log() + JSON.stringify(trace.runs[0]?.steps)).not.toContain('s3cr3t-pw');
  });

  test('a redirect sends no headers to another host', async () => {
    const other = await startChat();
    try {
      service.answerNext({ status: 302, headers: { location: '/there' } });
      service.answerNext({ status: 302, headers: { location: `${other.url}/elsewhere` } });
      const { settled } = await begin(
        rule(
          `      - http_request: { url: "${service.url}/", headers: { X-Api-Key: secret } }`,
          'on: test_event',
        ),
      );
      await post({ type: 'test_event' });
      const trace = await settled('test_event');
      expect(trace.reason).toContain('returned 302');
      expect(service.requests().map(({ path }) => path)).toEqual(['/', '/there']);
      expect(other.requests()).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('a response with deeply nested JSON is handled as text and not requested again', async () => {
    service.answerNext({ status: 200, body: '['.repeat(8000) + ']'.repeat(8000) });
    const { settled } = await begin(
      rule(`      - http_request: { method: POST, url: "${service.url}/" }`, 'on: test_event'),
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    const { status, output } = trace.runs[0]?.steps[0] ?? {};
    expect(status).toBe('completed');
    // A body that is kept as text has no JSON beside it.
    expect(Object.keys(output ?? {}).sort()).toEqual(['body', 'status_code']);
    expect(service.requests()).toHaveLength(1);
  });

  test('a dry run sends nothing, not even a GET', async () => {
    const { settled } = await begin(
      rule(`      - http_request: { url: "${service.url}/get?key=secret" }`, 'on: test_event'),
      { env: { READ_ONLY: '1' } },
    );
    await post({ type: 'test_event' });
    const trace = await settled('test_event');
    expect(trace.runs[0]?.steps[0]?.reason).toBe(`dry run: would send GET ${service.url}/get`);
    expect(service.requests()).toEqual([]);
  });
});

describe('emit', () => {
  test('can name another device than that of the event', async () => {
    const { settled } = await begin(`
rules:
  - id: hand-over
    on: test_event
    do:
      - emit: { type: acme.handed.over, data: { device: { id: "{{ event.data.other }}" } } }
  - id: take-over
    on: acme.handed.over
    do:
      - log: "it is {{ device.name }}"
`);
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Ada' });
    await post({ type: 'test_event', data: { other: id } });
    const trace = await settled('acme.handed.over');
    expect(trace.runs[0]?.steps[0]?.output).toEqual({ message: 'it is Ada' });
  });

  test('refuses secrets from the environment, because events are stored and shown', async () => {
    await expect(
      begin(rule('      - emit: { type: acme.x, data: { token: "${env:TOKEN}" } }', 'on: test_event'), {
        env: { TOKEN: 'a-secret-of-the-environment' },
      }),
    ).rejects.toThrow(/events are stored and displayed, so \$\{env:…\} is not allowed here/);
  });
});

test('events from a replay with a corrected list are distinct from the earlier ones', async () => {
  const rules = (list: string): string => `
rules:
  - id: emit-each
    on: test_event
    do:
      - emit: { type: acme.item, data: { n: "{{ item.name }}" } }
        for_each: ${list}
  - id: hear
    on: acme.item
    do:
      - http_request: { method: POST, url: "${service.url}/{{ event.data.n }}" }
`;
  const current = await begin(rules('event.data.wrong'));
  await post({
    type: 'test_event',
    data: { wrong: [{ name: 'w1' }, { broken: 1 }], right: [{ name: 'r1' }, { name: 'r2' }] },
  });
  const failed = await current.settled('test_event', ['failed']);
  await writeFile(current.env['RULES_PATH'] ?? '', rules('event.data.right'));
  await current.service.reloadRules();
  await fetch(`${current.service.url}/api/events/${failed.id}/replay`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  await current.settled('test_event', ['completed']);
  const heard = await until(
    'all events are processed',
    () => service.requests().length === 3 && service.requests(),
  );
  expect(heard.map(({ path }) => path).sort()).toEqual(['/r1', '/r2', '/w1']);
});

test('a started script is followed also after the device has left', async () => {
  const { simulator, settled } = await begin(
    rule(`
      - run_script: { script: Say hi, wait: 3s }
        id: hello`),
    { simulator: { delays: { groupChangeMs: 5, scriptJobMs: 600_000 } } },
  );
  const { id } = simulator.enroll({ kind: 'macbook', name: 'Ada' });
  await settled('device.enrolled', ['waiting']);
  simulator.unenroll(id);
  const trace = await settled('device.enrolled', ['completed', 'failed']);
  expect(trace.runs[0]?.steps[0]).toMatchObject({
    status: 'failed',
    reason: expect.stringMatching(/^no response from the device within 3 s; job \d+ is still pending$/),
  });
});

test('two runs that create a device create one each, also when a response is lost', async () => {
  const { simulator, settled } = await begin(
    rule('      - create_device: { name: Spare iPad }\n        id: spare', 'on: [test_event, acme.event]'),
  );
  await post({ type: 'test_event' });
  const first = await settled('test_event');
  simulator.addFault({ method: 'POST', path: '/devices', kind: 'reset', times: 1 });
  await post({ type: 'acme.event' });
  const second = await settled('acme.event');
  const made = [first, second].map(({ runs }) => runs[0]?.steps[0]?.output?.['device_id']);
  expect(new Set(made).size).toBe(2);
});
