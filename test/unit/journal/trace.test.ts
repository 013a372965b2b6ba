import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { statusOf } from '../../../src/journal/trace.js';
import type { EventStatus, ProcessingTrace, RunTrace } from '../../../src/journal/trace.js';

function processing(state: ProcessingTrace['state'] | undefined): ProcessingTrace | undefined {
  return state === undefined ? undefined : { state, attempts: 1, at: '2024-01-01T00:00:00Z' };
}

function run(status: RunTrace['status']): RunTrace {
  return { rule: 'r', status, plannedAt: '2024-01-01T00:00:00Z', steps: [] };
}

describe('statusOf', () => {
  test.each<[ProcessingTrace['state'] | undefined, RunTrace['status'][], EventStatus]>([
    [undefined, [], 'queued'],
    ['processing', [], 'processing'],
    ['waiting', [], 'waiting'],
    ['failed', [], 'failed'],
    ['completed', [], 'no_match'],
    ['completed', ['completed'], 'completed'],
    ['completed', ['completed', 'completed'], 'completed'],
    ['completed', ['queued'], 'processing'],
    ['completed', ['running'], 'processing'],
    ['completed', ['completed', 'queued'], 'processing'],
    ['completed', ['waiting'], 'waiting'],
    ['completed', ['running', 'waiting'], 'waiting'],
    ['completed', ['failed'], 'failed'],
    ['completed', ['completed', 'waiting', 'failed', 'running'], 'failed'],
    ['processing', ['completed'], 'processing'],
    ['processing', ['waiting'], 'waiting'],
    ['processing', ['failed'], 'failed'],
    ['waiting', ['completed'], 'waiting'],
    ['waiting', ['running'], 'waiting'],
    ['waiting', ['failed'], 'failed'],
    ['failed', ['completed'], 'failed'],
    ['failed', ['waiting'], 'failed'],
  ])('%s with runs %j is %s', (state, runs, expected) => {
    expect(statusOf(processing(state), runs.map(run))).toBe(expected);
  });

  test('the order of the runs does not matter', () => {
    const status = fc.constantFrom<RunTrace['status']>('queued', 'running', 'waiting', 'completed', 'failed');
    const state = fc.constantFrom<ProcessingTrace['state']>('processing', 'waiting', 'completed', 'failed');
    fc.assert(
      fc.property(fc.array(status, { maxLength: 5 }), state, (runs, found) => {
        const traces = runs.map(run);
        expect(statusOf(processing(found), [...traces].reverse())).toBe(statusOf(processing(found), traces));
      }),
    );
  });
});
