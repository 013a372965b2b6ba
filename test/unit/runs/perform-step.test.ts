import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { StepError } from '../../../src/actions/action.js';
import type { ActionResult } from '../../../src/actions/action.js';
import type { ErrorCode } from '../../../src/errors/registry.js';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import { performStep } from '../../../src/runs/perform-step.js';
import { textOrTemplate } from '../../../src/actions/argument-types.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRule } from '../../../src/rules/compile-rule.js';
import type { Step } from '../../../src/rules/model/rule.js';
import type { StepSource } from '../../../src/rules/model/rule-schema.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { collectLog } from '../../support/log-lines.js';
import { cannedApi } from '../simplemdm/canned-api.js';
import type { CannedResponses } from '../simplemdm/canned-api.js';

const ENV = { SECRET: 'the-secret-4711' };
const EVENT = {
  id: 'e',
  account: 'default',
  type: 'device.enrolled',
  at: '2024-01-01T00:00:00Z',
  receivedAt: '2024-01-01T00:00:00Z',
  source: 'webhook' as const,
  data: { device: { id: 121 } },
};

function step(source: Partial<StepSource>): Step {
  const problems: string[] = [];
  const rule = compileRule(
    {
      id: 'r',
      enabled: true,
      allow: ['destructive'],
      mode: 'live',
      onOwnActions: false,
      on: ['*'],
      do: [
        { action: 'log', args: { message: 'one' }, id: 'one', onError: 'stop' },
        { action: 'log', args: { message: 'hi' }, onError: 'stop', ...source },
      ],
    },
    serviceVocabulary(ENV, ['default']),
    [],
    ({ message }) => void problems.push(message),
  );
  expect(problems).toEqual([]);
  const compiled = rule.steps[1];
  if (compiled === undefined) throw new Error('the rule has two steps');
  return compiled;
}

interface Performed {
  readonly result: Promise<ActionResult>;
  /** In order: `before` for beforeWrite, and the requests. */
  readonly happened: string[];
  readonly log: () => string;
}

function perform(
  given: Step,
  more: {
    values?: Record<string, unknown>;
    device?: unknown;
    answers?: CannedResponses;
    inDoubtSince?: Date;
    previousOutput?: Record<string, unknown>;
    beforeWrite?: () => Promise<void>;
  } = {},
): Performed {
  const { logTo, log } = collectLog();
  const { api, lists, requests } = cannedApi(more.answers ?? {});
  const work = () =>
    performStep({
      step: given,
      values: { event: { type: 'device.enrolled', data: {} }, steps: {}, ...more.values },
      context: {
        event: EVENT,
        api,
        lists,
        fact: () => Promise.resolve(more.device ?? null),
        look: () => Promise.resolve({ result: 'true' }),
        logger: createLogger({ level: 'trace', redact: (text) => text, destination: logTo }),
        claim: () => Promise.resolve(true),
        stepKey: 'e.test.0',
        startedAt: new Date(),
        previousOutput: more.previousOutput,
        rule: { id: 'test', description: undefined },
        signal: new AbortController().signal,
        dispatchAlert: () => Promise.resolve(),
        emitEvent: () => Promise.resolve(),
        now: () => new Date(),
      },
      env: ENV,
      inDoubtSince: more.inDoubtSince,
    });
  const beforeWrite =
    more.beforeWrite ??
    (() => {
      requests.push('before');
      return Promise.resolve();
    });
  const result = recordCalls([], work, beforeWrite);
  return { result, happened: requests, log };
}

describe('the condition of a step', () => {
  test('not true: the step is skipped with the reason and sends nothing', async () => {
    const { result, happened } = perform(step({ if: 'steps.one.status == "failed"' }), {
      values: { steps: { one: { status: 'completed' } } },
    });
    expect(await result).toEqual({
      status: 'skipped',
      reason: 'steps.one.status == "failed" is not true: steps.one.status is "completed"',
    });
    expect(happened).toEqual([]);
  });

  test('true: the step is performed', async () => {
    const { result, happened } = perform(step({ if: 'steps.one.status == "completed"' }), {
      values: { steps: { one: { status: 'completed' } } },
    });
    expect(await result).toEqual({ status: 'completed', output: { message: 'hi' } });
    // A log line changes nothing at SimpleMDM.
    expect(happened).toEqual([]);
  });

  test('an error fails the step', async () => {
    const { result } = perform(step({ if: '1 / 0 == 1' }));
    await expect(result).rejects.toThrow(
      new StepError('step/condition-failed', 'if: 1 / 0 == 1: division by zero'),
    );
  });

  test('times of facts compare as times', async () => {
    const { result } = perform(step({ if: 'device.enrolled_at < timestamp("2024-01-01T00:00:00Z")' }), {
      values: { device: { enrolled_at: '2023-12-31T23:59:59Z' } },
    });
    expect((await result).status).toBe('completed');
  });
});

describe('arguments are rendered', () => {
  test('templates and references to the environment', async () => {
    const { result, log } = perform(
      step({ args: { message: '{{ device.name }} ${env:SECRET}', level: 'warn' } }),
      {
        values: { device: { name: 'Mac ${env:SECRET}' } },
      },
    );
    expect(await result).toEqual({
      status: 'completed',
      output: { message: 'Mac ${env:SECRET} the-secret-4711' },
    });
    expect(JSON.parse(log())).toMatchObject({ level: 40, msg: 'Mac ${env:SECRET} the-secret-4711' });
  });

  test('a string with a reference to the environment', async () => {
    expect(await perform(step({ args: { message: 'key ${env:SECRET}' } })).result).toEqual({
      status: 'completed',
      output: { message: 'key the-secret-4711' },
    });
  });

  test('a missing value fails the step, with the template and the value, before anything is sent', async () => {
    const { result, happened, log } = perform(step({ args: { message: 'Hi {{ event.data.nobody }}' } }));
    await expect(result).rejects.toBeInstanceOf(StepError);
    await expect(result).rejects.toThrow(
      /^"Hi \{\{ event\.data\.nobody \}\}": undefined variable: event\.data\.nobody$/,
    );
    expect(happened).toEqual([]);
    expect(log()).toBe('');
  });

  test('rendered arguments are validated', async () => {
    const { result } = perform(
      step({ action: 'send_invitation', args: { enrollment: 5, contact: '{{ event.data.contact }}' } }),
      { values: { event: { data: { contact: 'nobody' } } } },
    );
    await expect(result).rejects.toThrow(StepError);
  });

  test('an id from a template refers to an object by id', async () => {
    const { result } = perform(
      step({ action: 'assign_device_group', args: { group: '{{ event.data.id }}' } }),
      {
        values: { event: { data: { id: 7 } } },
        answers: {
          '/device_groups': { data: [{ type: 'device_group', id: 7, attributes: { name: 'Laptops' } }] },
          '/device_groups/7/devices/121': undefined,
        },
      },
    );
    expect(await result).toEqual({ status: 'completed', output: { group_id: 7, group_name: 'Laptops' } });
  });
});

describe('the call', () => {
  const MAC = { id: 121, platform: 'macOS' };
  const SCRIPTS = { '/scripts': { data: [{ type: 'script', id: 3, attributes: { name: 'Say hi' } }] } };
  const script = step({ action: 'run_script', args: { script: 'Say hi' } });
  const job = (createdAt: string, deviceId = 121) => ({
    type: 'script_job',
    id: 9,
    attributes: { script_name: 'Say hi', status: 'pending', created_at: createdAt },
    relationships: { device: { data: [{ id: deviceId }] } },
  });
  const started = {
    status: 'completed',
    output: { job_id: 9, script_id: 3, script_name: 'Say hi', response: null, status_code: null },
  };

  test('follows right after beforeWrite', async () => {
    const { result, happened } = perform(script, {
      device: MAC,
      answers: { ...SCRIPTS, '/script_jobs': { data: job('2024-01-01T00:00:00Z') } },
    });
    expect(await result).toEqual(started);
    expect(happened).toEqual(['/scripts', 'before', 'POST /script_jobs']);
  });

  test('is not sent when beforeWrite fails', async () => {
    const { result, happened } = perform(script, {
      device: MAC,
      answers: SCRIPTS,
      beforeWrite: () => Promise.reject(new Error('the job was lost')),
    });
    await expect(result).rejects.toThrow('the job was lost');
    expect(happened).toEqual(['/scripts']);
  });

  test('is not sent again when an earlier attempt took effect', async () => {
    const { result, happened } = perform(script, {
      device: MAC,
      inDoubtSince: new Date('2024-01-01T00:00:10Z'),
      answers: { ...SCRIPTS, '/script_jobs': { data: [job('2024-01-01T00:00:11Z')] } },
    });
    expect(await result).toEqual(started);
    expect(happened).not.toContain('POST /script_jobs');
    expect(happened).not.toContain('before');
  });

  test.each<[string, unknown]>([
    ['is from before the attempt', job('2023-12-31T00:00:00Z')],
    ['is for another device', job('2024-01-01T00:00:11Z', 122)],
  ])('is sent when the job that is found %s', async (_what, other) => {
    const { result, happened } = perform(script, {
      device: MAC,
      inDoubtSince: new Date('2024-01-01T00:00:10Z'),
      answers: { ...SCRIPTS, '/script_jobs': { data: [other] } },
    });
    // The canned API responds to the POST with the list too. Only the request matters here.
    await result.catch(() => undefined);
    expect(happened.slice(-2)).toEqual(['before', 'POST /script_jobs']);
  });

  test.each<[string, unknown, ErrorCode, RegExp]>([
    [
      'an iPad',
      { id: 121, platform: 'iPadOS', model_name: 'iPad Air' },
      'step/unsupported-platform',
      /macOS only.*iPadOS \(iPad Air\)/,
    ],
    ['no device', null, 'step/no-device', /^SimpleMDM does not know the device of the event/],
  ])('a script is skipped on %s', async (_what, device, code, reason) => {
    const result = await perform(script, { device, answers: SCRIPTS }).result;
    expect(result).toEqual({ status: 'skipped', code, reason: expect.stringMatching(reason) });
  });

  test.each([null, 'unknown'])('a script is sent to a device whose platform is %s', async (platform) => {
    const { result, happened } = perform(script, { device: { id: 121, platform }, answers: SCRIPTS });
    // SimpleMDM knows the platform, and refuses what is not a Mac. Only the request matters here.
    await result.catch(() => undefined);
    expect(happened.at(-1)).toBe('POST /script_jobs');
  });

  test.each<[unknown, string]>([
    ['error', 'failed'],
    ['cancelled', 'failed'],
    ['completed', 'completed'],
    ['pending', 'waiting'],
    ['a status of the future', 'waiting'],
    [null, 'waiting'],
    [['error'], 'waiting'],
  ])('a script job whose status is %j: %s', async (status, expected) => {
    const jobRecord = {
      id: 9,
      attributes: { status },
      relationships: { device: { data: [{ id: 121, status }] } },
    };
    const { result } = perform(step({ action: 'run_script', args: { script: 'Say hi', wait: '15m' } }), {
      device: MAC,
      answers: { '/script_jobs/9': { data: jobRecord } },
      previousOutput: {
        job_id: 9,
        device_id: 121,
        script_id: 3,
        script_name: 'Say hi',
        since: new Date().toISOString(),
      },
    });
    expect((await result).status).toBe(expected);
  });

  test('an unknown action fails the step by name', async () => {
    const known = step({});
    const { result } = perform({ ...known, source: { ...known.source, action: 'frobnicate' } });
    await expect(result).rejects.toThrow(new StepError('step/unknown-action', 'unknown action "frobnicate"'));
  });
});

describe('textOrTemplate', () => {
  const email = textOrTemplate(z.email(), 'expected an e-mail address');
  test.each<[unknown, boolean]>([
    ['it@example.org', true],
    ['nobody', false],
    ['', false],
    [5, false],
    [undefined, false],
    ['{{ event.data.contact }}', true],
    ['{% if true %}x{% endif %}', true],
    ['${env:CONTACT}', true],
    ['${env:}', false],
  ])('%j: %s', (text, expected) => {
    const parsed = email.safeParse(text);
    expect(parsed.success).toBe(expected);
    if (!expected) {
      expect(parsed.error?.issues.map((issue) => issue.message)).toEqual(['expected an e-mail address']);
    }
  });
});
