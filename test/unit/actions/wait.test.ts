import { describe, expect, test } from '@jest/globals';
import type { ActionContext, ActionResult } from '../../../src/actions/action.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { wait } from '../../../src/actions/wait.js';
import { LookupUnavailableError } from '../../../src/lookups/http-lookup.js';
import type { ConditionResult } from '../../../src/rules/cel/condition.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Failure } from '../../../src/simplemdm/errors.js';
import { cannedApi } from '../simplemdm/canned-api.js';

const START = Date.parse('2026-01-31T08:00:00Z');
const UNTIL = { until: 'device.is_supervised', every: '1m', timeout: '10m' };
const NOT_YET: ConditionResult = { result: 'false', reason: 'device.is_supervised is null', unknown: true };

function attempt(
  args: unknown,
  seconds: number,
  look: ConditionResult | Error,
  previousOutput?: ActionContext['previousOutput'],
): Promise<ActionResult> {
  const { api, lists } = cannedApi({});
  return wait.perform(args, {
    event: { id: 'e', account: 'default', type: 't', at: '', receivedAt: '', source: 'webhook', data: {} },
    api,
    lists,
    fact: () => Promise.resolve(null),
    look: () => (look instanceof Error ? Promise.reject(look) : Promise.resolve(look)),
    logger: createLogger({ level: 'silent', redact: (text) => text }),
    claim: () => Promise.resolve(true),
    stepKey: 'e.r.0',
    startedAt: new Date(START),
    previousOutput,
    rule: { id: 'r', description: undefined },
    signal: new AbortController().signal,
    dispatchAlert: () => Promise.resolve(),
    emitEvent: () => Promise.resolve(),
    now: () => new Date(START + seconds * 1000),
  });
}

const failing = (failure: Partial<Failure>): SimpleMdmError =>
  new SimpleMdmError({
    kind: 'response',
    account: 'default',
    method: 'GET',
    path: '/devices/1',
    mayHaveTakenEffect: false,
    ...failure,
  });

describe('until', () => {
  test('is not true yet: looks again after `every`, and counts the looks', async () => {
    expect(await attempt(UNTIL, 60, NOT_YET, { looks: 1 })).toEqual({
      status: 'waiting',
      until: START + 120_000,
      reason:
        'waits until device.is_supervised: device.is_supervised is null, next look 2026-01-31T08:02:00.000Z',
      output: { waited_seconds: 60, looks: 2 },
    });
  });

  test('is true: completed with the time waited', async () => {
    expect(await attempt(UNTIL, 90, { result: 'true' }, { looks: 2 })).toEqual({
      status: 'completed',
      output: { waited_seconds: 90, looks: 3 },
    });
  });

  test('looks a last time at the timeout, and fails then', async () => {
    expect(await attempt(UNTIL, 570, NOT_YET)).toMatchObject({ status: 'waiting', until: START + 600_000 });
    expect(await attempt(UNTIL, 600, NOT_YET, { looks: 9 })).toEqual({
      status: 'failed',
      code: 'step/timeout',
      reason: 'not true within 600 s (timeout): device.is_supervised is null',
      output: { waited_seconds: 600, looks: 10 },
    });
    expect(await attempt(UNTIL, 600, { result: 'true' })).toMatchObject({ status: 'completed' });
  });

  test('an API that is unavailable is no failure: the next look is when SimpleMDM asks for it', async () => {
    expect(await attempt(UNTIL, 0, failing({ status: 503 }))).toMatchObject({
      status: 'waiting',
      until: START + 60_000,
    });
    const paused = failing({ kind: 'paused', retryAt: START + 300_000 });
    expect(await attempt(UNTIL, 0, paused)).toMatchObject({ status: 'waiting', until: START + 300_000 });
  });

  test('a lookup that is unavailable is no failure either', async () => {
    const error = new LookupUnavailableError('lookup.staff is unavailable', START + 120_000);
    expect(await attempt(UNTIL, 0, error)).toMatchObject({
      status: 'waiting',
      until: START + 120_000,
      reason: expect.stringContaining('lookup.staff is unavailable'),
    });
  });

  test('a call that cannot succeed, and the stop of the process, are passed on', async () => {
    await expect(attempt(UNTIL, 0, failing({ status: 403 }))).rejects.toThrow(SimpleMdmError);
    await expect(attempt(UNTIL, 0, failing({ kind: 'stopped' }))).rejects.toThrow(SimpleMdmError);
  });

  test('a condition that cannot be evaluated fails the step', async () => {
    await expect(attempt(UNTIL, 0, { result: 'error', reason: 'division by zero' })).rejects.toThrow(
      'until: division by zero',
    );
  });

  test('by default it looks every minute for a day', async () => {
    const { until: condition } = UNTIL;
    expect(await attempt({ until: condition }, 0, NOT_YET)).toMatchObject({ until: START + 60_000 });
    expect(await attempt({ until: condition }, 86_390, NOT_YET)).toMatchObject({ until: START + 86_400_000 });
    expect(await attempt({ until: condition }, 86_400, NOT_YET)).toMatchObject({ status: 'failed' });
  });
});

test('the condition is compiled with the file, and its facts are facts of the step that only a look fetches', () => {
  const text = `rules:
  - id: r
    on: device.enrolled
    do: [wait: { until: 'device.last_seen_at > timestamp(event.at) && !apps.exists(a, a.name == "x")' }]`;
  const { rules, problems } = compileRuleFiles(
    [{ name: 'r.yaml', text }],
    serviceVocabulary({}, ['default']),
  );
  expect(problems).toEqual([]);
  const step = rules[0]?.steps[0];
  expect([...(step?.facts ?? [])].sort()).toEqual(['apps', 'device']);
  expect(step?.lookFacts).toEqual(step?.facts);
  const at = new Date('2026-01-31T08:00:00Z');
  const later = { event: { at }, device: { last_seen_at: new Date('2026-01-31T09:00:00Z') }, apps: [] };
  expect(step?.argumentConditions.get('until')?.evaluate(later)).toEqual({ result: 'true' });
});
