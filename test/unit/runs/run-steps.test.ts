import { describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { runSteps } from '../../../src/runs/run-steps.js';
import type { RunResult } from '../../../src/runs/run-steps.js';
import type { RunStepsOptions } from '../../../src/runs/run-context.js';
import { pendingStep } from '../../../src/runs/attempt-record.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { simpleMdm } from '../simplemdm/canned-api.js';
import type { Answers } from '../simplemdm/canned-api.js';

const DEVICE = {
  data: { id: 121, type: 'device', attributes: { name: 'Ada', model_name: 'iPhone 15', status: 'enrolled' } },
};

interface Ran {
  readonly result: RunResult;
  readonly steps: readonly StepRecord[];
  /** What was kept, in order: the status of the first step. */
  readonly kept: readonly string[];
  readonly requests: readonly string[];
}

async function run(steps: string, answers: Answers, more: Partial<RunStepsOptions> = {}): Promise<Ran> {
  const text = `rules: [{ id: r, on: device.enrolled, do: [{ ${steps} }] }]`;
  const { rules, problems } = compileRuleFiles(
    [{ name: 'r.yaml', text }],
    serviceVocabulary({}, ['default']),
  );
  expect(problems).toEqual([]);
  const [rule] = rules;
  if (rule === undefined) throw new Error('there is a rule');
  const event = {
    id: 'e',
    account: 'default',
    type: 'device.enrolled',
    at: '2026-01-31T08:00:00Z',
    receivedAt: '2026-01-31T08:00:00Z',
    source: 'webhook' as const,
    data: { device: { id: 121 } },
  };
  const { api, directory, requests } = simpleMdm(answers);
  let records: readonly StepRecord[] = more.steps ?? rule.source.do.map(pendingStep);
  const kept: string[] = [];
  const result = await runSteps({
    event,
    rule,
    runKey: 'e.r',
    api,
    directory,
    steps: records,
    facts: createFactFetcher({
      event,
      api,
      directory,
      known: new Map(),
      onFact: () => Promise.resolve(),
    }),
    stop: new AbortController().signal,
    logger: createLogger({ level: 'silent', redact: (line) => line }),
    env: {},
    claimFor: () => () => Promise.resolve(true),
    confirmOwnership: () => Promise.resolve(),
    superseded: () => Promise.resolve(undefined),
    beforeAction: () => Promise.resolve(undefined),
    dryRun: false,
    retryAfter: (error) =>
      error instanceof SimpleMdmError && error.isRetryable
        ? { at: Date.now() + 1000, costs: 'attempt' }
        : undefined,
    onStep: () => undefined,
    dispatchAlert: () => Promise.resolve(),
    emitEvent: () => Promise.resolve(),
    now: () => new Date(),
    ...more,
    saveSteps: (changed) => {
      records = changed;
      kept.push(changed[0]?.status ?? '');
      return more.saveSteps?.(changed) ?? Promise.resolve(changed);
    },
  });
  return { result, steps: records, kept, requests };
}

describe('what has used up its time', () => {
  test.each(['confirmOwnership', 'beforeAction'] as const)(
    'sends nothing any more when %s took too long, and stays failed',
    async (slow) => {
      // Longer than the second that the step has.
      const wait = (): Promise<undefined> => delay(1100, undefined);
      const { result, steps, kept, requests } = await run(
        'lock: { message: hi }, timeout: 1s',
        { '/devices/121': DEVICE },
        { [slow]: wait },
      );
      expect(result.kind).toBe('failed');
      expect(steps[0]).toMatchObject({ status: 'failed', reason: 'it used up its time (timeout)' });
      expect(kept.at(-1)).toBe('failed');
      expect(requests).toEqual(['/devices/121']);
    },
  );

  test('a timeout of a month is not over at once', async () => {
    const { result } = await run('log: hi, timeout: 30d', {});
    expect(result.kind).toBe('completed');
  });

  test('the last try says more than that the time is up', async () => {
    const before: StepRecord = {
      ...pendingStep({ action: 'lock' }),
      status: 'retrying',
      attempts: 3,
      startedAt: new Date(Date.now() - 60_000).toISOString(),
      reason: 'POST /devices/121/lock answered 500',
    };
    const { steps } = await run(
      'lock: {}, timeout: 30s',
      { '/devices/121': DEVICE },
      { steps: [before], confirmOwnership: () => delay(20) },
    );
    expect(steps[0]?.reason).toBe(
      'it used up its time (timeout); the last try said: POST /devices/121/lock answered 500',
    );
  });
});

describe('for_each', () => {
  test('trouble that passes with a fact of its list is tried again, as with any step', async () => {
    const { result, steps } = await run('log: "{{ item.name }}", for_each: apps', {
      '/devices/121/installed_apps': 500,
    });
    expect(result).toMatchObject({ kind: 'interrupted', pause: { costs: 'attempt' } });
    expect(steps[0]).toMatchObject({ status: 'retrying', reason: expect.stringContaining('answered 500') });
  });

  test('a list that an earlier step did not leave is empty', async () => {
    const { result, steps } = await run(
      'http_request: { url: "http://127.0.0.1:1/" }, if: "false", id: found }, { log: "{{ item }}", for_each: steps.found.json.list',
      {},
    );
    expect(result.kind).toBe('completed');
    expect(steps[1]).toMatchObject({ status: 'completed', output: { count: 0 } });
  });

  test('a run that another takes the place of does no further item', async () => {
    let asked = 0;
    const { result, steps } = await run(
      'log: "{{ item }}", for_each: "[1, 2, 3, 4]"',
      {},
      {
        superseded: () => Promise.resolve((asked += 1) > 3 ? 'a later run took its place' : undefined),
      },
    );
    expect(result.kind).toBe('completed');
    expect(steps[0]).toMatchObject({ status: 'skipped', reason: 'a later run took its place' });
    expect(steps[0]?.each?.map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'pending',
      'pending',
    ]);
  });

  test('long texts of items are kept in short', async () => {
    const { steps } = await run(`log: "{{ item }}", for_each: '["${'x'.repeat(3000)}"]'`, {});
    const { message } = z.object({ message: z.string() }).parse(steps[0]?.each?.[0]?.output);
    expect(message).toHaveLength(501);
  });

  test('in a dry run each item says what it would send', async () => {
    const { result, steps } = await run(
      'lock: { message: "{{ item }}" }, for_each: "[1, 2]", id: locks }, { log: "{{ steps.locks.count }}"',
      { '/devices/121': DEVICE },
      { dryRun: true },
    );
    expect(result.kind).toBe('completed');
    expect(steps[0]?.each?.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^dry run: would send POST .*lock/),
      expect.stringMatching(/^dry run: would send POST .*lock/),
    ]);
    expect(steps[1]).toMatchObject({ status: 'completed', output: { message: '2' } });
  });
});

test('a call that failed for good takes back what was said of it beforehand', async () => {
  const happened: string[] = [];
  const beforeAction = () => {
    happened.push('noted');
    return Promise.resolve(() => {
      happened.push('taken back');
      return Promise.resolve();
    });
  };
  await run('lock: {}', { '/devices/121': DEVICE, '/devices/121/lock': 422 }, { beforeAction });
  expect(happened).toEqual(['noted', 'taken back']);
});

test('a run that waits for its script does not look the device up again at each look', async () => {
  const job = {
    data: { id: 9, type: 'script_job', attributes: { status: 'pending', script_name: 'Say hi' } },
  };
  const before: StepRecord = {
    ...pendingStep({ action: 'run_script' }),
    status: 'waiting',
    waited: true,
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
  expect(result).toMatchObject({ kind: 'interrupted', pause: { costs: 'nothing' } });
  expect(requests.filter((request) => request === '/script_jobs/9')).toHaveLength(1);
});
