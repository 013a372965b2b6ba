import { expect, test } from '@jest/globals';
import { GRACE_PERIODS, nextGraceCheck } from '../../../src/queues/grace-period.js';

const SINCE = 1_700_000_000_000;

test.each(Object.entries(GRACE_PERIODS))(
  'something that a %s needs is checked again until its grace period is over',
  (_who, period) => {
    const { lengthMs, recheckMs } = period;
    const lastMoment = SINCE + lengthMs - 1;
    expect(nextGraceCheck(SINCE, period, SINCE)).toBe(SINCE + recheckMs);
    expect(nextGraceCheck(SINCE, period, lastMoment)).toBe(lastMoment + recheckMs);
    expect(nextGraceCheck(SINCE, period, SINCE + lengthMs)).toBeUndefined();
  },
);
