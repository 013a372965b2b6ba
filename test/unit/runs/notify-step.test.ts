import { describe, expect, test } from '@jest/globals';
import type { NewAlert } from '../../../src/alerts/alert.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { JobOutcome, JobRetry } from '../../../src/queues/job-outcome.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { openRunSecrets, sealingKey } from '../../../src/runs/run-secrets.js';
import { runSteps } from '../../../src/runs/run-steps.js';
import { pendingStep } from '../../../src/runs/step-records.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { cannedApi } from '../simplemdm/canned-api.js';
import type { CannedResponses } from '../simplemdm/canned-api.js';

const device = (attributes: Record<string, unknown>): CannedResponses => ({
  '/devices/121': { data: { id: 121, type: 'device', attributes: { status: 'enrolled', ...attributes } } },
});
const ADA = device({ name: 'Ada', serial_number: 'C02XYZ' });
const NOW = new Date('2026-01-31T08:00:00Z');

interface Notified {
  readonly result: JobOutcome;
  readonly step: StepRecord | undefined;
  readonly alerts: readonly NewAlert[];
}

/** Runs the steps of a rule; the last one is `notify`. */
async function notify(
  args: string,
  answers: CannedResponses,
  {
    before = '',
    more = '',
    description = 'description: Low on disk,',
    startedAt,
    retryAfter = () => undefined,
    env = {},
    data = { device: { id: 121, serial_number: 'C02EVENT' } },
  }: {
    before?: string;
    more?: string;
    description?: string;
    startedAt?: Date;
    retryAfter?: () => JobRetry | undefined;
    env?: NodeJS.ProcessEnv;
    data?: Record<string, unknown>;
  } = {},
): Promise<Notified> {
  const text = `
channels:
  it-chat: { type: slack, url: https://hooks.example.org/a }
  mail: { type: email, server: smtp://m.example.org, from: a@example.org, to: b@example.org, to_domains: [example.org] }
rules: [{ id: low-disk, ${description} on: device.enrolled, do: [${before} { notify: ${args}${more} }] }]`;
  const { rules, problems } = compileRuleFiles(
    [{ name: 'r.yaml', text }],
    serviceVocabulary({ ...env, GONE: 'x' }, ['acme']),
  );
  expect(problems.map((problem) => problem.text)).toEqual([]);
  const [rule] = rules;
  if (rule === undefined) throw new Error('there is no rule');
  const event = {
    id: 'e',
    account: 'acme',
    type: 'device.enrolled',
    at: NOW.toISOString(),
    receivedAt: NOW.toISOString(),
    source: 'webhook' as const,
    data,
  };
  const { api, lists } = cannedApi(answers);
  const alerts: NewAlert[] = [];
  let records: readonly StepRecord[] = rule.source.do.map((source) => ({
    ...pendingStep(source),
    ...(startedAt !== undefined && { status: 'retrying' as const, startedAt: startedAt.toISOString() }),
  }));
  const result = await runSteps({
    event,
    rule,
    runKey: 'e.low-disk',
    api,
    lists,
    steps: records,
    facts: createFactFetcher({ event, api, lists, known: new Map(), onFact: () => Promise.resolve() }),
    stop: new AbortController().signal,
    logger: createLogger({ level: 'silent', redact: (line) => line }),
    env,
    secrets: openRunSecrets(sealingKey('key'), 'e.low-disk', []),
    claimFor: () => () => Promise.resolve(true),
    superseded: () => Promise.resolve(undefined),
    expectEvent: () => Promise.resolve(undefined),
    dryRun: false,
    retryAfter,
    countStep: () => undefined,
    dispatchAlert: (alert) => {
      alerts.push(alert);
      return Promise.resolve();
    },
    emitEvent: () => Promise.resolve(),
    now: () => NOW,
    saveSteps: (changed) => {
      records = changed;
      return Promise.resolve(changed);
    },
  });
  return { result, step: records.at(-1), alerts };
}

describe('a title that renders to nothing', () => {
  test.each([
    ['null', null],
    ['empty', ''],
    ['only spaces', ' \n '],
    ['invisible', '\u200b\u2060'],
  ])('because the name is %s: the message has the rule and the serial number', async (_case, name) => {
    const { result, step, alerts } = await notify(
      '{ channel: it-chat, title: "{{ device.name }}" }',
      device({ name, serial_number: 'C02XYZ' }),
    );
    expect(result.kind).toBe('completed');
    expect(alerts).toMatchObject([
      {
        title: 'Low on disk: C02XYZ',
        device: { id: 121, name: 'C02XYZ' },
        notes: ['Could not be filled in: title: the template renders to an empty text'],
      },
    ]);
    expect(step).toMatchObject({
      status: 'completed',
      code: 'alert/incomplete',
      reason: 'the message lacks title: the template renders to an empty text',
      output: { title: 'Low on disk: C02XYZ' },
    });
  });

  test.each([
    [
      'the serial number of the event',
      {},
      'low-disk: C02EVENT',
      { device: { id: 121, serial_number: 'C02EVENT' } },
    ],
    ['the id of the device', {}, 'low-disk: device 121', { device: { id: 121 } }],
    ['the rule alone', {}, 'low-disk', {}],
  ])('and no name: %s', async (_case, attributes, title, data) => {
    const { alerts } = await notify(
      '{ channel: it-chat, title: "{{ event.data.none }}" }',
      device({ name: null, serial_number: null, ...attributes }),
      { description: '', data },
    );
    expect(alerts).toMatchObject([{ title }]);
  });
});

describe('a value that does not exist', () => {
  const SKIPPED = '{ log: hi, id: hello, if: "1 == 2" },';

  test.each([
    [
      'an output of a skipped step',
      '{{ steps.hello.message }}',
      'Ada said: ',
      /undefined variable: steps\.hello\.message/,
    ],
    [
      'a field that the webhook does not have',
      '{{ event.data.x.y }}',
      'Ada said: ',
      /undefined variable: event\.data\.x/,
    ],
    // Nothing of a text with an error can be rendered.
    ['a loop without end', '{% for i in (1..99999999) %}x{% endfor %}', '', /limit/],
  ])('%s is left out of the text, and the message says so', async (_case, template, text, reason) => {
    const { result, step, alerts } = await notify(
      `{ channel: it-chat, title: "{{ device.name }}", text: '{{ device.name }} said: ${template}' }`,
      ADA,
      { before: SKIPPED },
    );
    expect(result.kind).toBe('completed');
    expect(alerts).toMatchObject([{ title: 'Ada', text, notes: [expect.stringMatching(reason)] }]);
    expect(step?.code).toBe('alert/incomplete');
  });

  test('in the title, key, label or recipient keeps nobody from being told', async () => {
    const { alerts } = await notify(
      `{ channel: mail, title: "{{ steps.hello.message }}", key: "{{ steps.hello.message }}", labels: { team: "{{ steps.hello.message }}" }, to: "{{ steps.hello.message }}" }`,
      ADA,
      { before: SKIPPED },
    );
    expect(alerts).toMatchObject([
      { title: 'Low on disk: Ada', key: 'acme/low-disk/121', labels: { team: '' }, to: [''] },
    ]);
    expect(alerts[0]?.notes).toHaveLength(5);
  });

  test('in a part of a key, a channel or a recipient: none that is of somebody else', async () => {
    const gap = '{{ steps.hello.message }}';
    const { alerts } = await notify(
      `{ channel: [mail, "it-${gap}chat"], title: x, key: "disk-${gap}", to: ["team-${gap}@example.org", ada@example.org] }`,
      ADA,
      { before: SKIPPED },
    );
    expect(alerts).toMatchObject([
      { channel: 'mail', key: 'acme/low-disk/121', to: ['', 'ada@example.org'] },
    ]);
    expect(alerts[0]?.notes).toHaveLength(3);
  });

  test('a null in a key or a recipient is a gap too, unless the template says what to take in its place', async () => {
    const { alerts } = await notify(
      '{ channel: mail, title: x, key: "disk-{{ device.imei }}", to: ["{{ device.imei }}@example.org", "{{ device.imei | default: \'it\' }}@example.org"] }',
      device({ name: 'Ada', serial_number: 'C02XYZ', imei: null }),
    );
    expect(alerts).toMatchObject([{ key: 'acme/low-disk/121', to: ['', 'it@example.org'] }]);
    expect(alerts[0]?.notes?.join()).toContain('a value in it is empty');
  });

  test('from the environment is left out', async () => {
    const { alerts } = await notify('{ channel: it-chat, title: Hello, text: "${env:GONE}" }', ADA);
    expect(alerts).toMatchObject([{ title: 'Hello', text: '' }]);
    expect(alerts[0]?.notes?.join()).toContain('the environment variable GONE is not set');
  });

  test('a device that is gone: the message goes out without it', async () => {
    const { alerts } = await notify('{ channel: it-chat, title: "{{ device.name }} is lost" }', {
      '/devices/121': 404,
    });
    expect(alerts).toMatchObject([{ title: 'is lost', device: { id: 121, name: 'C02EVENT' } }]);
  });

  test('as the only channel fails the step, so that the failed run is reported', async () => {
    const { result } = await notify('{ channel: "{{ event.data.none }}", title: hi }', ADA);
    expect(result).toMatchObject({ kind: 'failed', code: 'step/invalid-argument' });
  });

  test('as one of two channels leaves the other', async () => {
    const { alerts } = await notify('{ channel: ["{{ event.data.none }}", it-chat], title: hi }', ADA);
    expect(alerts).toMatchObject([{ channel: 'it-chat', title: 'hi' }]);
  });
});

describe('a fact that is unavailable', () => {
  const DOWN: CannedResponses = { '/devices/121': 503 };
  const retry = (): JobRetry => ({
    kind: 'retry',
    at: NOW.getTime() + 1000,
    countsAttempt: true,
    reason: 'down',
  });
  const ARGS = '{ channel: it-chat, title: "{{ device.name }} joined" }';

  test('is waited for', async () => {
    const { result, alerts } = await notify(ARGS, DOWN, { retryAfter: retry });
    expect(result.kind).toBe('retry');
    expect(alerts).toEqual([]);
  });

  test.each([
    [
      'until its next attempt would be too late',
      { retryAfter: () => ({ ...retry(), at: NOW.getTime() + 3_600_000 }) },
    ],
    ['for two minutes', { retryAfter: retry, startedAt: new Date(NOW.getTime() - 120_000) }],
    ['until the attempts are used up', {}],
    [
      'until the timeout of the step',
      { retryAfter: retry, more: ' , timeout: 1s', startedAt: new Date(NOW.getTime() - 500) },
    ],
  ])('%s; then the message goes out without it', async (_case, options) => {
    const { result, alerts, step } = await notify(ARGS, DOWN, options);
    expect(result.kind).toBe('completed');
    expect(alerts).toMatchObject([{ title: 'joined', device: { id: 121, name: 'C02EVENT' } }]);
    expect(alerts[0]?.notes?.join('\n')).toMatch(/Could not be filled in: device: .*503/);
    expect(step).toMatchObject({ status: 'completed', code: 'alert/incomplete' });
  });

  test('and decides the condition of the step is waited for as long as for any step', async () => {
    const { result, alerts } = await notify(ARGS, DOWN, {
      more: ' , if: device.is_supervised',
      startedAt: new Date(NOW.getTime() - 3_600_000),
      retryAfter: retry,
    });
    expect(result.kind).toBe('retry');
    expect(alerts).toEqual([]);
  });
});

describe('a dedup key', () => {
  const keyOf = async (args: string, data?: Record<string, unknown>): Promise<string | undefined> =>
    (await notify(args, ADA, data === undefined ? {} : { data })).alerts[0]?.key;

  test('is the same for a trigger and its resolve, and for every event of the device', async () => {
    const trigger = await keyOf('{ channel: it-chat, title: "{{ device.name }}" }');
    expect(trigger).toBe('acme/low-disk/121');
    expect(await keyOf('{ channel: it-chat, resolve: true }', { device: { id: 121 }, other: 1 })).toBe(
      trigger,
    );
  });

  test('of the rule is a template', async () => {
    expect(await keyOf('{ channel: it-chat, title: x, key: "disk-{{ device.id }}" }')).toBe('acme:disk-121');
  });

  test('a resolve without a title has that of its rule, and nothing is missing', async () => {
    const { alerts, step } = await notify('{ channel: it-chat, resolve: true }', ADA);
    expect(alerts).toMatchObject([{ title: 'Low on disk: Ada', status: 'resolved' }]);
    expect(alerts[0]).not.toHaveProperty('notes');
    expect(step).not.toHaveProperty('code');
  });
});
