import { expect, test } from '@jest/globals';
import { freshFacts } from '../../../src/runs/fresh-facts.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import { completedStep, stepSource } from './rule-sources.js';

test('facts from before the last wait are not used', () => {
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
    ...completedStep(stepSource({ action: 'wait' })),
    hasWaited: true,
    finishedAt: '2026-01-31T08:10:00Z',
  };
  expect([...freshFacts(known, [waited]).keys()]).toEqual(['group']);
  expect([...freshFacts(known, [{ ...waited, status: 'waiting', finishedAt: undefined }]).keys()]).toEqual([
    'device',
    'group',
  ]);
});
