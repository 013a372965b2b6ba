import { describe, expect, test } from '@jest/globals';
import { waitingJob, waitReasonOf } from '../../../src/console/wait-reason.js';
import type { WaitReason } from '../../../src/console/wait-reason.js';

const event = { account: 'default', type: 'device.enrolled', source: 'webhook' };
const rule = { id: 'onboard' };

describe('what a delayed job waits for', () => {
  test.each<[WaitReason, Readonly<Record<string, unknown>>, number]>([
    ['inventory', { event, inventoryWait: { since: 'x' } }, 0],
    ['retry', { event }, 1],
    ['order', { event }, 0],
    ['rule', { event, rule, ruleMissingSince: '2026-01-01T00:00:00Z' }, 0],
    ['approval', { event, rule, steps: [{ status: 'waiting' }], approvals: [{}] }, 0],
    ['step', { event, rule, admitted: true, steps: [{ status: 'completed' }, { status: 'waiting' }] }, 0],
    ['inventory', { event, rule, steps: [{ status: 'waiting', inventoryWait: {} }] }, 0],
    [
      'step',
      { event, rule, steps: [{ status: 'waiting', inventoryWait: {}, inventoryWaitEndedAt: 'x' }] },
      0,
    ],
    ['retry', { event, rule, admitted: true, steps: [{ status: 'retrying' }] }, 1],
    ['held', { event, rule, steps: [{ status: 'pending' }], waitReason: 'the rule is held: …' }, 0],
    ['slot', { event, rule, steps: [{ status: 'pending' }], waitReason: 'waits for earlier runs …' }, 0],
    ['account', { event, rule, admitted: true, steps: [{ status: 'running' }] }, 0],
    // The run was held before it started.
    [
      'step',
      { event, rule, admitted: true, steps: [{ status: 'waiting' }], waitReason: 'the rule is held: …' },
      0,
    ],
  ])('%s', (expected, data, attempts) => {
    expect(waitReasonOf(waitingJob.parse(data), attempts)).toBe(expected);
  });
});
