import { describe, expect, test } from '@jest/globals';
import { estimateCalls } from '../../../src/console/estimate-calls.js';

const COSTS = new Map([
  ['events:*', { calls: 100, jobs: 100 }],
  ['events:schedule.audit', { calls: 0, jobs: 50 }],
  ['runs:audit', { calls: 150, jobs: 50 }],
  ['runs:onboard', { calls: 300, jobs: 50 }],
  ['runs:started', { calls: 4, jobs: 0 }],
]);

describe('estimateCalls', () => {
  test.each([
    ['runs of a rule', [{ queue: 'runs', rule: 'onboard', count: 10 }], 60],
    ['runs of several rules: their average', [{ queue: 'runs', rule: undefined, count: 10 }], 45],
    [
      'events of a sweep: with the run that each of them starts',
      [{ queue: 'events', rule: 'audit', count: 20 }],
      60,
    ],
    ['events of webhooks: with the runs per event', [{ queue: 'events', rule: undefined, count: 3 }], 11],
    ['no jobs', [], 0],
  ] as const)('%s', (_name, jobs, calls) => {
    expect(estimateCalls(jobs, COSTS)).toBe(calls);
  });

  test.each([
    ['a rule that has never run', [{ queue: 'runs', rule: 'new', count: 1 }]],
    ['a rule of which no run has finished', [{ queue: 'runs', rule: 'started', count: 1 }]],
    ['the events of such a rule', [{ queue: 'events', rule: 'new', count: 1 }]],
    [
      'one unknown kind among known ones',
      [
        { queue: 'runs', rule: 'onboard', count: 10 },
        { queue: 'runs', rule: 'new', count: 1 },
      ],
    ],
  ] as const)('is unknown for %s', (_name, jobs) => {
    expect(estimateCalls(jobs, COSTS)).toBeUndefined();
  });

  test('is unknown while nothing was counted', () => {
    expect(estimateCalls([{ queue: 'events', rule: undefined, count: 1 }], new Map())).toBeUndefined();
  });
});
