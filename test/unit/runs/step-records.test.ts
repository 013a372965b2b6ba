import { describe, expect, test } from '@jest/globals';
import type { StepRecord } from '../../../src/queues/jobs.js';
import { pendingStep, skippedStep, stepRecordsFor } from '../../../src/runs/step-records.js';
import { completedStep, ruleSource, stepSource } from './rule-sources.js';

describe('stepRecordsFor', () => {
  test('keeps the records of an unchanged rule', () => {
    const rule = ruleSource({ do: [stepSource(), stepSource({ id: 'two' })] });
    const records: StepRecord[] = [
      completedStep(stepSource()),
      { ...pendingStep({ action: 'log', id: 'two' }), status: 'failed', attempts: 3 },
    ];
    expect(stepRecordsFor(rule, rule, records)).toEqual(records);
  });

  test('restarts a changed step, but keeps what an earlier attempt may have done', () => {
    const before = ruleSource();
    const after = ruleSource({ do: [stepSource({ args: { message: 'fixed' } })] });
    const record: StepRecord = {
      ...pendingStep(stepSource()),
      status: 'failed',
      attempts: 2,
      output: { a: 1 },
      inDoubtSince: '2026-01-31T08:00:00Z',
    };
    expect(stepRecordsFor(after, before, [record], 1)).toEqual([
      {
        ...pendingStep(stepSource()),
        restartedByReplay: 1,
        attempts: 2,
        inDoubtSince: '2026-01-31T08:00:00Z',
      },
    ]);
  });

  test('with an unchanged for_each, keeps the completed items', () => {
    const list = 'event.data.items';
    const before = ruleSource({ do: [stepSource({ forEach: list, args: { message: 'wrong' } })] });
    const after = ruleSource({ do: [stepSource({ forEach: list, args: { message: 'fixed' } })] });
    const record: StepRecord = {
      ...pendingStep(stepSource()),
      status: 'failed',
      attempts: 1,
      items: ['a', 'b', 'c'],
      itemRecords: [
        completedStep(stepSource()),
        {
          ...pendingStep(stepSource()),
          status: 'failed',
          attempts: 1,
          inDoubtSince: '2026-01-31T08:00:00Z',
        },
        pendingStep(stepSource()),
      ],
    };
    const [kept] = stepRecordsFor(after, before, [record], 1);
    expect(kept).toMatchObject({ status: 'running', items: ['a', 'b', 'c'] });
    expect(kept?.itemRecords).toEqual([
      completedStep(stepSource()),
      { ...pendingStep(stepSource()), restartedByReplay: 1, inDoubtSince: '2026-01-31T08:00:00Z' },
      { ...pendingStep(stepSource()), restartedByReplay: 1 },
    ]);
    const other = ruleSource({
      do: [stepSource({ forEach: 'event.data.others', args: { message: 'wrong' } })],
    });
    expect(stepRecordsFor(other, before, [record], 2)).toEqual([
      {
        ...pendingStep(stepSource()),
        restartedByReplay: 2,
        attempts: 1,
        inDoubtSince: '2026-01-31T08:00:00Z',
      },
    ]);
  });
});

test('skippedStep skips a step that has not ended, and no other', () => {
  const why = { reason: 'superseded', code: 'run/superseded' };
  const pending = pendingStep(stepSource());
  expect(skippedStep(pending, why)).toEqual({ ...pending, status: 'skipped', ...why });
  expect(skippedStep({ ...pending, status: 'waiting' }, why)).toMatchObject({ status: 'skipped' });
  for (const status of ['completed', 'skipped', 'failed'] as const)
    expect(skippedStep({ ...pending, status }, why)).toEqual({ ...pending, status });
});
