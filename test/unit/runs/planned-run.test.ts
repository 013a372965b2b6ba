import { describe, expect, test } from '@jest/globals';
import { freshFacts, stepRecordsFor, effectiveRule, ruleStateOf } from '../../../src/runs/planned-run.js';
import { pendingStep } from '../../../src/runs/attempt-record.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import type { RuleSource, StepSource } from '../../../src/rules/model/rule-schema.js';

const step = (source: Partial<StepSource> = {}): StepSource => ({
  action: 'log',
  args: { message: 'hi' },
  onError: 'stop',
  ...source,
});
const rule = (more: Partial<RuleSource> = {}): RuleSource => ({
  id: 'r',
  enabled: true,
  on: ['device.enrolled'],
  allow: [],
  mode: 'live',
  onOwnActions: false,
  do: [step()],
  ...more,
});
const done = (source: StepSource): StepRecord => ({
  ...pendingStep(source),
  status: 'completed',
  attempts: 1,
});

describe('the rule of a run', () => {
  const event = {
    id: 'e',
    account: 'default',
    type: 'device.enrolled',
    at: '2026-01-31T08:00:00Z',
    receivedAt: '2026-01-31T08:00:00Z',
    source: 'webhook' as const,
    data: {},
  };
  const now = rule({ do: [step(), step({ args: { message: 'mended' } })] });
  const then = rule({ do: [step(), step({ args: { message: 'wrong' } })] });
  const job = { event, rule: then, steps: [done(step())], plannedAt: event.at };

  test('is the one that it was planned with', () => {
    expect(effectiveRule(job, now)).toBe(then);
  });

  test('is that of today when it is replayed, if what is done is still its beginning', () => {
    expect(effectiveRule({ ...job, replays: 1 }, now)).toBe(now);
    const other = rule({ do: [step({ args: { message: 'another' } })] });
    expect(effectiveRule({ ...job, replays: 1 }, other)).toBe(then);
  });
});

describe('the records of a rule that changed', () => {
  test('what is done stays done, what is the same goes on', () => {
    const before = rule({ do: [step(), step({ id: 'two' })] });
    const records: StepRecord[] = [
      done(step()),
      { ...pendingStep({ action: 'log', id: 'two' }), status: 'failed', attempts: 3 },
    ];
    expect(stepRecordsFor(before, before, records)).toEqual(records);
  });

  test('a step that reads otherwise begins afresh, but for what it may have done', () => {
    const before = rule();
    const after = rule({ do: [step({ args: { message: 'mended' } })] });
    const record: StepRecord = {
      ...pendingStep(step()),
      status: 'failed',
      attempts: 2,
      output: { a: 1 },
      unsettledSince: '2026-01-31T08:00:00Z',
    };
    expect(stepRecordsFor(after, before, [record], 1)).toEqual([
      { ...pendingStep(step()), afresh: 1, attempts: 2, unsettledSince: '2026-01-31T08:00:00Z' },
    ]);
  });

  test('of a list that is the same what is done is not done again', () => {
    const list = 'event.data.items';
    const before = rule({ do: [step({ forEach: list, args: { message: 'wrong' } })] });
    const after = rule({ do: [step({ forEach: list, args: { message: 'mended' } })] });
    const record: StepRecord = {
      ...pendingStep(step()),
      status: 'failed',
      attempts: 1,
      items: ['a', 'b', 'c'],
      each: [
        done(step()),
        { ...pendingStep(step()), status: 'failed', attempts: 1, unsettledSince: '2026-01-31T08:00:00Z' },
        pendingStep(step()),
      ],
    };
    const [kept] = stepRecordsFor(after, before, [record], 1);
    expect(kept).toMatchObject({ status: 'running', items: ['a', 'b', 'c'] });
    expect(kept?.each).toEqual([
      done(step()),
      { ...pendingStep(step()), afresh: 1, unsettledSince: '2026-01-31T08:00:00Z' },
      { ...pendingStep(step()), afresh: 1 },
    ]);
    const another = rule({ do: [step({ forEach: 'event.data.others', args: { message: 'wrong' } })] });
    expect(stepRecordsFor(another, before, [record], 2)).toEqual([
      { ...pendingStep(step()), afresh: 2, attempts: 1, unsettledSince: '2026-01-31T08:00:00Z' },
    ]);
  });
});

describe('the stricter of then and now', () => {
  const wipes = rule({ allow: ['destructive'], do: [step({ action: 'wipe', args: {} })] });

  test.each<[string, RuleSource | undefined, object]>([
    ['the same', wipes, { kind: 'good', dryRun: false }],
    ['gone', undefined, { kind: 'gone' }],
    ['off', { ...wipes, enabled: false }, { kind: 'stopped' }],
    ['for another account', { ...wipes, accounts: ['acme'] }, { kind: 'stopped' }],
    ['no more allowed', { ...wipes, allow: [] }, { kind: 'stopped' }],
    ['a dry run', { ...wipes, mode: 'dry_run' }, { kind: 'good', dryRun: true }],
  ])('%s', (_what, current, expected) => {
    expect(ruleStateOf(wipes, current, 'default')).toMatchObject(expected);
  });

  test('what was a dry run when it was planned stays one', () => {
    expect(ruleStateOf({ ...wipes, mode: 'dry_run' }, wipes, 'default')).toEqual({
      kind: 'good',
      dryRun: true,
    });
  });
});

test('facts from before a step that waited are not good behind it', () => {
  const fact = (fetchedAt: string) => ({
    status: 'found' as const,
    value: 1,
    fetchedAt,
    durationMs: 1,
    calls: [],
  });
  const known = new Map([
    ['device', fact('2026-01-31T08:00:00Z')],
    ['group', fact('2026-01-31T08:20:00Z')],
  ]);
  const waited: StepRecord = {
    ...done(step({ action: 'wait' })),
    waited: true,
    finishedAt: '2026-01-31T08:10:00Z',
  };
  expect([...freshFacts(known, [waited]).keys()]).toEqual(['group']);
  expect([...freshFacts(known, [{ ...waited, status: 'waiting', finishedAt: undefined }]).keys()]).toEqual([
    'device',
    'group',
  ]);
});
