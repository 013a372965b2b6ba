import { expect, test } from '@jest/globals';
import { readSettings } from '../../../src/config/settings.js';
import { longestResumeMs, stalledCheckMs } from '../../../src/queues/job-lock.js';

test('with the default lock, jobs of a dead worker are resumed within 15 seconds', () => {
  const { JOB_LOCK_MS } = readSettings({ SIMPLEMDM_API_KEY: 'key' }, ['worker', 'receiver']);
  expect(longestResumeMs(JOB_LOCK_MS)).toBeLessThanOrEqual(15_000);
});

test('locks are looked at several times within their life, and never without a pause', () => {
  expect(stalledCheckMs(10_000)).toBe(1667);
  expect(stalledCheckMs(1)).toBe(1);
  expect(longestResumeMs(6000)).toBe(8000);
});
