import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { traceKey } from '../../../src/journal/trace-keys.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN, API_KEY, WEBHOOK_TOKEN } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const GROUP_RULE = `
rules:
  - id: laptops
    on: device.enrolled
    do:
      - log: { message: first }
      - assign_device_group: { group: Laptops }
      - log: { message: last }
`;
const SCRIPT_RULE = `
rules:
  - { id: script, on: device.enrolled, do: [run_script: { script: Say hi }] }
`;

const { start: begin } = useWorld();

describe('a step that fails', () => {
  test.each([
    // The client makes the call three times before the attempt at the step fails.
    ['a server error', { kind: 'status', status: 500, times: 6 }],
    ['a bad gateway', { kind: 'status', status: 502, times: 6 }],
    ['a reset connection', { kind: 'reset', times: 6 }],
    ['a page of a proxy', { kind: 'not_json', times: 6 }],
  ] as const)('retries after %s, and completed steps do not repeat', async (_what, fault) => {
    const { simulator, settled, log } = await begin({ rules: GROUP_RULE });
    simulator.addFault({ method: 'POST', path: '/device_groups/*', ...fault });
    simulator.enroll({ kind: 'macbook' });
    const { status, runs } = await settled('device.enrolled');
    expect(status).toBe('completed');
    expect(runs[0]?.steps.map((step) => step.attempts)).toEqual([1, 3, 1]);
    expect(log().match(/"msg":"first"/g)).toHaveLength(1);
  });

  test('retries after a 429 at the requested time, and uses up no attempt', async () => {
    const { simulator, settled } = await begin({ rules: GROUP_RULE, env: { RETRY_ATTEMPTS: '1' } });
    simulator.addFault({
      method: 'POST',
      path: '/device_groups/*',
      kind: 'status',
      status: 429,
      retryAfter: 1,
      times: 1,
    });
    simulator.enroll({ kind: 'macbook' });
    const waiting = await settled('device.enrolled', ['waiting']);
    expect(waiting.runs[0]?.steps[1]).toMatchObject({
      status: 'retrying',
      reason: expect.stringContaining('429'),
    });
    const { runs } = await settled('device.enrolled', ['completed']);
    const [refused, taken] = simulator.calls().filter((call) => call.method === 'POST');
    expect(Date.parse(taken?.at ?? '') - Date.parse(refused?.at ?? '')).toBeGreaterThanOrEqual(950);
    expect(runs[0]?.steps[1]?.attempts).toBe(2);
  });

  test('does not retry after a 4xx: the run stops and is a dead letter', async () => {
    const { simulator, settled, service } = await begin({ rules: GROUP_RULE });
    simulator.addFault({ method: 'POST', path: '/device_groups/*', kind: 'status', status: 422, times: 1 });
    simulator.enroll({ kind: 'macbook' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('failed');
    expect(trace.runs[0]?.steps.map((step) => step.status)).toEqual(['completed', 'failed', 'pending']);
    expect(trace.reason).toContain(
      'step 2 (assign_device_group): POST /device_groups/41/devices/500 (account default) returned 422',
    );
    // A replay continues with the failed step.
    const replay = await fetch(`${service.url}/api/events/${trace.id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(await replay.json()).toEqual({ kind: 'resumed', id: trace.id, event: false, rules: ['laptops'] });
    const replayed = await settled('device.enrolled', ['completed']);
    expect(replayed.runs[0]?.steps.map((step) => step.attempts)).toEqual([1, 2, 1]);
  });

  test('follows the corrected rule when it is replayed, and does not repeat completed steps', async () => {
    const rules = (group: string): string => `
rules:
  - id: laptops
    on: device.enrolled
    do:
      - log: { message: first }
        id: said
      - assign_device_group: { group: ${group} }
`;
    const current = await begin({ rules: rules('Laptop') });
    current.simulator.enroll({ kind: 'macbook' });
    const failed = await current.settled('device.enrolled');
    expect(failed.reason).toContain('there is no device group "Laptop"; did you mean "Laptops"?');
    await writeFile(current.env['RULES_PATH'] ?? '', rules('Laptops'));
    await current.restartService();
    await fetch(`${current.service.url}/api/events/${failed.id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const { runs } = await current.settled('device.enrolled', ['completed']);
    expect(runs[0]?.steps.map((step) => step.attempts)).toEqual([1, 2]);
  });

  test('with on_error: continue does not stop its run', async () => {
    const rules = GROUP_RULE.replace('{ group: Laptops }', '{ group: Laptop }\n        on_error: continue');
    const { simulator, settled } = await begin({ rules });
    simulator.enroll({ kind: 'macbook' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('completed');
    expect(trace.runs[0]?.steps.map((step) => step.status)).toEqual(['completed', 'failed', 'completed']);
    expect(trace.runs[0]?.steps[1]?.reason).toBe(
      'there is no device group "Laptop"; did you mean "Laptops"?',
    );
  });

  test('that used up its attempts is a dead letter', async () => {
    const { simulator, settled, client } = await begin({ rules: GROUP_RULE, env: { RETRY_ATTEMPTS: '3' } });
    simulator.addFault({ method: 'POST', path: '/device_groups/*', kind: 'status', status: 503 });
    simulator.enroll({ kind: 'macbook' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('failed');
    expect(trace.runs[0]?.steps[1]).toMatchObject({ status: 'failed', attempts: 3 });
    expect(
      (await findEvents(openShards(client), { status: 'failed', limit: 5 })).events.map((event) => event.id),
    ).toEqual([trace.id]);
    expect(await client.ttl(traceKey('mdm-reflex', trace.id))).toBeGreaterThan(89 * 86_400);
  });
});

describe('a call that must not be repeated', () => {
  test.each([
    ['the connection is reset', { kind: 'reset' }],
    ['a gateway answers 502', { kind: 'status', status: 502 }],
    ['the answer is cut off', { kind: 'truncated' }],
  ] as const)('a script job that was created before %s is found, not created again', async (_what, fault) => {
    const { simulator, settled } = await begin({ rules: SCRIPT_RULE });
    simulator.addFault({ method: 'POST', path: '/script_jobs', times: 1, effect: 'after', ...fault });
    simulator.enroll({ kind: 'macbook' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('completed');
    expect(simulator.scriptJobs()).toHaveLength(1);
    expect(trace.runs[0]?.steps[0]).toMatchObject({
      status: 'completed',
      attempts: 2,
      output: { job_id: 341 },
    });
  });

  test('a script job that was not created is created by the retry', async () => {
    const { simulator, settled } = await begin({ rules: SCRIPT_RULE });
    simulator.addFault({ method: 'POST', path: '/script_jobs', times: 1, kind: 'reset' });
    simulator.enroll({ kind: 'macbook' });
    expect((await settled('device.enrolled')).status).toBe('completed');
    expect(simulator.scriptJobs()).toHaveLength(1);
  });

  test('the replay of a run in doubt looks for its job first', async () => {
    const { simulator, settled, service } = await begin({ rules: SCRIPT_RULE, env: { RETRY_ATTEMPTS: '1' } });
    simulator.addFault({ method: 'POST', path: '/script_jobs', times: 1, kind: 'reset', effect: 'after' });
    simulator.enroll({ kind: 'macbook' });
    const failed = await settled('device.enrolled');
    expect([failed.status, simulator.scriptJobs().length]).toEqual(['failed', 1]);
    await fetch(`${service.url}/api/events/${failed.id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect((await settled('device.enrolled', ['completed'])).runs[0]?.steps[0]?.output).toMatchObject({
      job_id: 341,
    });
    expect(simulator.scriptJobs()).toHaveLength(1);
  });

  test('a run whose response was lost does not adopt the job of another run on the device', async () => {
    const rules = `
rules:
  - { id: first, on: device.lock.enabled, do: [run_script: { script: Say hi }] }
  - { id: second, on: device.unknown.thing, do: [run_script: { script: Say hi }] }
`;
    const { simulator, settled, service } = await begin({ rules });
    simulator.lock(54);
    await settled('device.lock.enabled');
    simulator.addFault({ method: 'POST', path: '/script_jobs', times: 1, kind: 'reset' });
    await fetch(`${service.url}/webhooks/simplemdm/${WEBHOOK_TOKEN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        type: 'device.unknown.thing',
        at: '2026-01-01T00:00:00Z',
        data: { device: { id: 54 } },
      }),
    });
    expect((await settled('device.unknown.thing')).runs[0]?.steps[0]?.output).toMatchObject({ job_id: 342 });
    expect(simulator.scriptJobs()).toHaveLength(2);
  });

  test('a repeated webhook is processed once', async () => {
    const { simulator, settled, client, calls } = await begin({ rules: SCRIPT_RULE });
    simulator.enroll({ kind: 'macbook' });
    await settled('device.enrolled');
    simulator.resendWebhooks({ last: 1, reversed: false, delayMs: 0 });
    await simulator.webhooksSettled();
    expect(simulator.webhookDeliveries().map((delivery) => delivery.status)).toEqual([202, 202]);
    expect((await findEvents(openShards(client), { limit: 10 })).events).toHaveLength(1);
    expect(calls().filter((call) => call === 'POST /script_jobs')).toHaveLength(1);
  });
});

describe('an unavailable fact', () => {
  test('delays only the rules that need it', async () => {
    const rules = `
rules:
  - { id: plain, on: device.enrolled, do: [log: { message: plain }] }
  - { id: needs-device, on: device.enrolled, if: device.platform == "macOS", do: [log: { message: "{{ device.name }}" }] }
`;
    const { simulator, settled, client } = await begin({ rules, env: { RETRY_MAX_MS: '60' } });
    simulator.addFault({ method: 'GET', path: '/devices/500', kind: 'status', status: 500 });
    simulator.enroll({ kind: 'macbook' });
    const waiting = await until('the plain rule has run while the other waits', async () => {
      const trace = await settled('device.enrolled', ['waiting']);
      return trace.runs.some((run) => run.status === 'completed') ? trace : undefined;
    });
    expect(waiting.decisions.map((decision) => decision.verdict)).toEqual(['matched', 'waiting']);
    expect(waiting.facts['device']).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('returned 500'),
    });
    simulator.clearFaults();
    const trace = await settled('device.enrolled', ['completed']);
    expect(trace.rules).toEqual(expect.arrayContaining(['plain', 'needs-device']));
    expect(
      (await findTrace(openShards(client), trace.id))?.runs.every((run) => run.status === 'completed'),
    ).toBe(true);
  });
});

describe('a rule that cannot be evaluated', () => {
  test('makes its event a dead letter, does not delay other rules, and is evaluated again by a replay', async () => {
    const rules = `
rules:
  - { id: plain, on: device.lock.enabled, do: [run_script: { script: Say hi }] }
  - { id: needs-apps, on: device.lock.enabled, if: apps.size() > 3, do: [log: { message: many }] }
`;
    const { simulator, settled, service, client } = await begin({ rules });
    simulator.addFault({
      method: 'GET',
      path: '/devices/54/installed_apps',
      kind: 'status',
      status: 403,
      times: 1,
    });
    simulator.lock(54);
    const trace = await until('the plain rule is done', async () => {
      const found = await settled('device.lock.enabled', ['failed']);
      return found.runs.some((run) => run.status === 'completed') ? found : undefined;
    });
    expect(trace.reason).toContain(
      'rule needs-apps: apps could not be looked up: GET /devices/54/installed_apps',
    );
    expect(trace.decisions.map((decision) => decision.verdict)).toEqual(['matched', 'error']);
    // The queue has no completed job: only the trace knows that the plain rule has run.
    expect(await client.exists(`mdm-reflex:runs:${trace.id}.plain`)).toBe(0);
    await fetch(`${service.url}/api/events/${trace.id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const replayed = await settled('device.lock.enabled', ['completed']);
    expect(replayed.rules).toEqual(['plain', 'needs-apps']);
    expect(simulator.scriptJobs()).toHaveLength(1);
  });
});

describe('a refused API key', () => {
  test('makes events wait and is reported in the log, in /readyz and in the trace', async () => {
    const current = await begin({
      rules: GROUP_RULE,
      env: { SIMPLEMDM_API_KEY: 'a-wrong-key-of-the-test', RETRY_ATTEMPTS: '1' },
    });
    current.simulator.enroll({ kind: 'macbook' });
    current.simulator.enroll({ kind: 'iphone' });
    const trace = await current.settled('device.enrolled', ['waiting']);
    expect(trace.reason).toContain('the API key is wrong or revoked: check SIMPLEMDM_API_KEY');
    const readyz = await fetch(`${current.service.url}/readyz`);
    expect(readyz.status).toBe(200);
    expect(await readyz.json()).toMatchObject({
      accounts: { default: { ok: false, reason: expect.stringContaining('401') } },
    });
    expect(current.log()).toContain(
      'SimpleMDM refuses the API key: events of the account wait until the key is replaced',
    );
    expect(current.log()).not.toContain('a-wrong-key-of-the-test');

    await current.restartService({ SIMPLEMDM_API_KEY: API_KEY });
    await until('both events are completed', async () => {
      const { events } = await findEvents(openShards(current.client), { type: 'device.enrolled', limit: 10 });
      return events.length === 2 && events.every((event) => event.status === 'completed');
    });
    expect(await (await fetch(`${current.service.url}/readyz`)).json()).toMatchObject({
      accounts: { default: { ok: true } },
    });
  });

  test('a read-only key fails the write and says what to change', async () => {
    const { simulator, settled } = await begin({
      rules: GROUP_RULE,
      simulator: { readOnlyApiKey: 'read-only-key-of-the-test' },
      env: { SIMPLEMDM_API_KEY: 'read-only-key-of-the-test' },
    });
    simulator.enroll({ kind: 'macbook' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('failed');
    expect(trace.reason).toContain('returned 403: This API Key does not have access to this resource.');
    expect(trace.reason).toContain('grant it in SimpleMDM');
  });
});
