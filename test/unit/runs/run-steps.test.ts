import { describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { openRunSecrets, sealingKey } from '../../../src/runs/run-secrets.js';
import { runSteps } from '../../../src/runs/run-steps.js';
import type { JobOutcome } from '../../../src/queues/job-outcome.js';
import type { RunContext } from '../../../src/runs/run-context.js';
import { pendingStep } from '../../../src/runs/step-records.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { cannedApi } from '../simplemdm/canned-api.js';
import type { CannedResponses } from '../simplemdm/canned-api.js';

const DEVICE = {
  data: { id: 121, type: 'device', attributes: { name: 'Ada', model_name: 'iPhone 15', status: 'enrolled' } },
};

const EVENT = {
  id: 'e',
  account: 'default',
  type: 'device.enrolled',
  at: '2026-01-31T08:00:00Z',
  receivedAt: '2026-01-31T08:00:00Z',
  source: 'webhook' as const,
  data: { device: { id: 121 } },
};

interface Ran {
  readonly result: JobOutcome;
  readonly steps: readonly StepRecord[];
  /** The status of the first step at each save. */
  readonly saved: readonly string[];
  readonly requests: readonly string[];
}

async function run(steps: string, answers: CannedResponses, more: Partial<RunContext> = {}): Promise<Ran> {
  const text = `rules: [{ id: r, on: device.enrolled, do: [{ ${steps} }] }]`;
  const { rules, problems } = compileRuleFiles(
    [{ name: 'r.yaml', text }],
    serviceVocabulary({}, ['default']),
  );
  expect(problems).toEqual([]);
  const [rule] = rules;
  if (rule === undefined) throw new Error('there is no rule');
  const event = EVENT;
  const { api, lists, requests } = cannedApi(answers);
  let records: readonly StepRecord[] = more.steps ?? rule.source.do.map(pendingStep);
  const saved: string[] = [];
  const result = await runSteps({
    event,
    rule,
    runKey: 'e.r',
    api,
    lists,
    steps: records,
    facts: createFactFetcher({
      event,
      api,
      lists,
      known: new Map(),
      onFact: () => Promise.resolve(),
    }),
    stop: new AbortController().signal,
    logger: createLogger({ level: 'silent', redact: (line) => line }),
    env: {},
    secrets: openRunSecrets(sealingKey('key'), 'e.r', []),
    claimFor: () => () => Promise.resolve(true),
    superseded: () => Promise.resolve(undefined),
    expectEvent: () => Promise.resolve(undefined),
    dryRun: false,
    retryAfter: (error) =>
      error instanceof SimpleMdmError && error.isRetryable
        ? {
            kind: 'retry',
            at: Date.now() + 1000,
            countsAttempt: true,
            reason: error.message,
            code: error.code,
          }
        : undefined,
    countStep: () => undefined,
    dispatchAlert: () => Promise.resolve(),
    emitEvent: () => Promise.resolve(),
    now: () => new Date(),
    ...more,
    saveSteps: (changed, save) => {
      records = changed;
      saved.push(changed[0]?.status ?? '');
      return more.saveSteps?.(changed, save) ?? Promise.resolve(changed);
    },
  });
  return { result, steps: records, saved, requests };
}

describe('the approval of a step with a condition', () => {
  const approvals = (asked: number[]): Pick<RunContext, 'stepApprovals'> => ({
    stepApprovals: {
      isNeeded: () => true,
      ask: (_step, index) => {
        asked.push(index);
        return Promise.resolve({ kind: 'approved' });
      },
    },
  });
  const NO_SLACK = `log: hi, if: '!apps.exists(a, a.name == "Slack")'`;
  const canned = (attributes: object): CannedResponses => ({
    '/devices/121': { data: { id: 121, type: 'device', attributes: { status: 'enrolled', ...attributes } } },
    '/devices/121/installed_apps': { data: [], has_more: false },
  });
  const REPORTED = { os_version: '15.1', product_name: 'Mac15,3' };

  test('asks nobody while the device has not reported what the condition reads', async () => {
    const asked: number[] = [];
    const { steps } = await run(NO_SLACK, canned({}), approvals(asked));
    expect([asked, steps[0]?.status]).toEqual([[], 'skipped']);
  });

  test.each([
    [60_000, [], 'waiting'],
    [-60_000, [0], 'completed'],
  ])('with %i ms left to wait for its apps, asks for %j and is %s', async (left, expected, status) => {
    const asked: number[] = [];
    const settling = { since: Date.now() - 120_000, until: Date.now() + left };
    const { steps } = await run(NO_SLACK, canned(REPORTED), {
      ...approvals(asked),
      inventory: { settling, pausesMs: undefined, onWait: () => undefined },
    });
    expect([asked, steps[0]?.status]).toEqual([expected, status]);
  });
});

describe('timeout', () => {
  test.each(['saveSteps', 'expectEvent'] as const)(
    'a step that timed out during %s sends nothing and stays failed',
    async (slow) => {
      // Longer than the timeout of one second.
      const slowly: Partial<RunContext> =
        slow === 'saveSteps'
          ? { saveSteps: (changed) => delay(1100, changed) }
          : { expectEvent: () => delay(1100, undefined) };
      const { result, steps, saved, requests } = await run(
        'lock: { message: hi }, timeout: 1s',
        { '/devices/121': DEVICE },
        slowly,
      );
      expect(result.kind).toBe('failed');
      expect(steps[0]).toMatchObject({ status: 'failed', reason: 'the step timed out (timeout)' });
      expect(saved.at(-1)).toBe('failed');
      expect(requests).toEqual(['/devices/121']);
    },
  );

  test('a timeout of a month does not end the step immediately', async () => {
    const { result } = await run('log: hi, timeout: 30d', {});
    expect(result.kind).toBe('completed');
  });

  test('the reason of a timeout includes the last failure', async () => {
    const before: StepRecord = {
      ...pendingStep({ action: 'lock' }),
      status: 'retrying',
      attempts: 3,
      startedAt: new Date(Date.now() - 60_000).toISOString(),
      reason: 'POST /devices/121/lock returned 500',
    };
    const { steps } = await run(
      'lock: {}, timeout: 30s',
      { '/devices/121': DEVICE },
      { steps: [before], expectEvent: () => delay(20, undefined) },
    );
    expect(steps[0]?.reason).toBe(
      'the step timed out (timeout); last failure: POST /devices/121/lock returned 500',
    );
  });
});

describe('for_each', () => {
  test('a failed lookup of the list is retried, as with any step', async () => {
    const { result, steps } = await run('log: "{{ item.name }}", for_each: apps', {
      '/devices/121/installed_apps': 500,
    });
    expect(result).toMatchObject({ kind: 'retry', countsAttempt: true });
    expect(steps[0]).toMatchObject({ status: 'retrying', reason: expect.stringContaining('returned 500') });
  });

  test('a list from a skipped step is empty', async () => {
    const { result, steps } = await run(
      'http_request: { url: "http://127.0.0.1:1/" }, if: "false", id: found }, { log: "{{ item }}", for_each: steps.found.json.list',
      {},
    );
    expect(result.kind).toBe('completed');
    expect(steps[1]).toMatchObject({ status: 'completed', output: { count: 0 } });
  });

  test('a list that depends on apps that the device has not reported is empty', async () => {
    const missing = String.raw`log: "{{ item }}", for_each: "[\"a\", \"b\"].filter(id, !apps.exists(a, a.identifier == id))"`;
    const withModel = (model: string | null): CannedResponses => ({
      '/devices/121': { data: { ...DEVICE.data, attributes: { model_name: model, status: 'enrolled' } } },
      '/devices/121/installed_apps': { data: [], has_more: false },
    });
    const never = await run(missing, withModel(null));
    expect(never.steps[0]).toMatchObject({ status: 'completed', output: { count: 0 } });
    const reported = await run(missing, withModel('Mac'));
    expect(reported.steps[0]).toMatchObject({ status: 'completed', output: { count: 2 } });
  });

  test('a superseded run skips the items that are left', async () => {
    let asked = 0;
    const { result, steps } = await run(
      'log: "{{ item }}", for_each: "[1, 2, 3, 4]"',
      {},
      {
        superseded: () => Promise.resolve((asked += 1) > 3 ? 'superseded' : undefined),
      },
    );
    expect(result.kind).toBe('completed');
    expect(steps[0]).toMatchObject({ status: 'skipped', reason: 'superseded' });
    expect(steps[0]?.itemRecords?.map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'pending',
      'pending',
    ]);
  });

  test('long outputs of items are shortened', async () => {
    const { steps } = await run(`log: "{{ item }}", for_each: '["${'x'.repeat(3000)}"]'`, {});
    const { message } = z.object({ message: z.string() }).parse(steps[0]?.itemRecords?.[0]?.output);
    expect(message).toHaveLength(501);
  });

  test('in a dry run, each item records what it would send', async () => {
    const { result, steps } = await run(
      'lock: { message: "{{ item }}" }, for_each: "[1, 2]", id: locks }, { log: "{{ steps.locks.count }}"',
      { '/devices/121': DEVICE },
      { dryRun: true },
    );
    expect(result.kind).toBe('completed');
    expect(steps[0]?.itemRecords?.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^dry run: would send POST .*lock/),
      expect.stringMatching(/^dry run: would send POST .*lock/),
    ]);
    expect(steps[1]).toMatchObject({ status: 'completed', output: { message: '2' } });
  });
});

test('a call that failed cancels the event that was expected of it', async () => {
  const happened: string[] = [];
  const cancel = () => {
    happened.push('canceled');
    return Promise.resolve();
  };
  const expected = { part: ['expected', 'cause'], cancel };
  const saveSteps: RunContext['saveSteps'] = (changed, save) => {
    if (save?.expected === expected) happened.push('expected');
    return Promise.resolve(changed);
  };
  const more = { expectEvent: () => Promise.resolve(expected), saveSteps };
  await run('lock: {}', { '/devices/121': DEVICE, '/devices/121/lock': 422 }, more);
  expect(happened).toEqual(['expected', 'canceled']);
});

test('a run that waits for its script does not look up the device at each check', async () => {
  const job = {
    data: { id: 9, type: 'script_job', attributes: { status: 'pending', script_name: 'Say hi' } },
  };
  const before: StepRecord = {
    ...pendingStep({ action: 'run_script' }),
    status: 'waiting',
    hasWaited: true,
    attempts: 1,
    startedAt: new Date().toISOString(),
    output: {
      job_id: 9,
      device_id: 121,
      script_id: 31,
      script_name: 'Say hi',
      since: new Date().toISOString(),
    },
  };
  const { result, requests } = await run(
    'run_script: { script: Say hi, wait: 1h }',
    { '/devices/121': 404, '/script_jobs/9': job },
    { steps: [before] },
  );
  expect(result).toMatchObject({ kind: 'retry', countsAttempt: false });
  expect(requests.filter((request) => request === '/script_jobs/9')).toHaveLength(1);
});

describe('wait until', () => {
  const inGroup = (id: number) => ({
    data: { ...DEVICE.data, relationships: { device_group: { data: { type: 'device_group', id } } } },
  });
  const GROUPS = {
    '/assignment_groups': { data: [], has_more: false },
    '/device_groups': {
      data: [
        { type: 'device_group', id: 7, attributes: { name: 'New' } },
        { type: 'device_group', id: 8, attributes: { name: 'Laptops' } },
      ],
      has_more: false,
    },
  };

  test('looks at the group of the device as it is now', async () => {
    const answers: Record<string, unknown> = { ...GROUPS, '/devices/121': inGroup(7) };
    const { api, lists } = cannedApi(answers);
    const facts = createFactFetcher({
      event: EVENT,
      api,
      lists,
      known: new Map(),
      onFact: () => Promise.resolve(),
    });
    await facts.fetch('group');
    answers['/devices/121'] = inGroup(8);
    const { steps } = await run('wait: { until: \'in_group("Laptops")\' }', {}, { facts });
    expect(steps[0]).toMatchObject({ status: 'completed', output: { looks: 1 } });
  });

  test('takes no empty list for the apps of a Mac that has just enrolled', async () => {
    const answers = {
      '/devices/121': {
        data: { ...DEVICE.data, attributes: { ...DEVICE.data.attributes, os_version: '18' } },
      },
      '/devices/121/installed_apps': { data: [], has_more: false },
    };
    const step = 'wait: { until: \'!apps.exists(a, a.identifier == "x")\' }';
    const settling = { since: Date.now() - 60_000, until: Date.now() + 60_000 };
    const inventory = { settling, pausesMs: [15_000], onWait: () => undefined };
    const early = await run(step, answers, { inventory });
    expect(early.steps[0]).toMatchObject({
      status: 'waiting',
      reason: expect.stringContaining('apps is null'),
    });
    const later = await run(step, answers);
    expect(later.steps[0]).toMatchObject({ status: 'completed' });
  });
});
