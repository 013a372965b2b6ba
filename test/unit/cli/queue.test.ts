import { describe, expect, test } from '@jest/globals';
import { formatQueue } from '../../../src/cli/queue.js';
import { shortDuration } from '../../../src/cli/short-duration.js';
import type { QueueState } from '../../../src/console/queue-state.js';

const EMPTY: QueueState = {
  at: '2026-01-31T08:00:00.000Z',
  apiRate: 10,
  rows: [],
  sweeps: [],
  estimates: [],
};

describe('formatQueue', () => {
  test('says when nothing waits', () => {
    expect(formatQueue(EMPTY)).toBe('nothing waits');
  });

  test('shows what waits, the sweeps, and when the lanes are done', () => {
    const oldest = '2026-01-31T07:00:00.000Z';
    const text = formatQueue({
      ...EMPTY,
      rows: [
        {
          queue: 'events',
          lane: 'interactive',
          account: 'default',
          reason: 'in_flight',
          text: 'in progress',
          count: 2,
          isEstimate: false,
          oldest,
        },
        {
          queue: 'runs',
          lane: 'bulk',
          account: 'default',
          rule: 'audit',
          reason: 'turn',
          text: 'waits for its turn',
          count: 17_640,
          isEstimate: true,
          oldest,
        },
      ],
      sweeps: [
        {
          account: 'default',
          rule: 'audit',
          state: 'running',
          scheduledAt: oldest,
          evaluated: 900,
          devices: 18_000,
          emitted: 700,
        },
      ],
      estimates: [
        { account: 'default', lane: 'interactive', jobs: 2, calls: 6, doneAt: '2026-01-31T08:00:00.600Z' },
        { account: 'default', lane: 'bulk', jobs: 17_640, calls: 35_280, doneAt: '2026-01-31T08:58:48.000Z' },
        { account: 'west', lane: 'bulk', jobs: 4 },
      ],
    });
    expect(text.split('\n')).toEqual([
      'COUNT        QUEUE   LANE         ACCOUNT  RULE   OLDEST (UTC)         REASON',
      '2            events  interactive  default  -      2026-01-31 07:00:00  in progress',
      'about 17640  runs    bulk         default  audit  2026-01-31 07:00:00  waits for its turn',
      '',
      'SWEEP OF  ACCOUNT  STATE    DEVICES             EVENTS  SCHEDULED (UTC)',
      'audit     default  running  900 of about 18000  700     2026-01-31 07:00:00',
      '',
      'ACCOUNT  LANE         JOBS   API CALLS (10/S)  DONE IN',
      'default  interactive  2      about 6           about 1 s',
      'default  bulk         17640  about 35280       about 59 min',
      'west     bulk         4      unknown           unknown: no job of this kind has finished yet',
    ]);
  });
});

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [89_000, '89 s'],
  [90_000, '2 min'],
  [59 * 60_000, '59 min'],
  [2 * 3_600_000, '2 h'],
  [200 * 60_000, '3 h 20 min'],
])('%i ms are %s', (ms, text) => {
  expect(shortDuration(ms)).toBe(text);
});
