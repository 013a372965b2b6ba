import { expect, test } from '@jest/globals';
import { nextTime, problemWithSchedule } from '../../../src/rules/model/cron.js';

test.each([
  ['0 25 * * *', 'the hour 25 is not within 0-23'],
  ['60 8 * * *', 'the minute 60 is not within 0-59'],
  ['0 8 32 * *', 'the day of the month 32 is not within 1-31'],
  ['0 8 * 13 *', 'the month 13 is not within 1-12'],
  ['0 8 * * 1,9', 'the day of the week 9 is not within 0-7'],
  ['61 0 8 * * *', 'the second 61 is not within 0-59'],
  ['* 1-70 * * * *', 'the minute 1-70 is not within 0-59'],
  ['0 8 * * MON-FRX', 'the day of the week "MON-FRX": Validation error, cannot resolve alias "frx"'],
  ['0 8-5 * * *', 'the hour "8-5": Invalid range: 8-5, min(8) > max(5)'],
  ['0 8 30 2 *', 'no month in it has that day'],
  ['H H * * *', 'H is not supported; write a fixed time, such as "0 8 * * *"'],
  ['H(0-5) 8 * * *', 'H is not supported; write a fixed time, such as "0 8 * * *"'],
  ['@nothing', 'expected @hourly, @daily, @weekly, @monthly, @yearly, or five fields such as "0 8 * * 1-5"'],
])('%s is rejected: %s', (cron, why) => {
  expect(problemWithSchedule(cron, 'Europe/Berlin')).toEqual({
    path: ['schedule'],
    message: `"${cron}" is not valid: ${why}`,
  });
});

test.each(['0 8 * * 1-5', '*/5 * * * *', '30 0 8 * * *', '0 8 ? * THU', '0 8 L * *', '0 0 29 2 *', '@daily'])(
  '%s is valid',
  (cron) => {
    expect(problemWithSchedule(cron, 'Europe/Berlin')).toBeUndefined();
  },
);

/** The next times of a schedule in Berlin, each computed from the previous one as the scheduler does. */
function timesFrom(start: string, cron: string, count: number): string[] {
  let at = new Date(start);
  return Array.from({ length: count }, () => (at = nextTime(cron, 'Europe/Berlin', at)).toISOString());
}

test('a daily schedule runs once on the day that skips its hour', () => {
  expect(timesFrom('2026-03-27T12:00:00Z', '30 2 * * *', 3)).toEqual([
    '2026-03-28T01:30:00.000Z',
    '2026-03-29T01:30:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ]);
});

test('a daily schedule runs once on the day that repeats its hour', () => {
  expect(timesFrom('2026-10-23T12:00:00Z', '30 2 * * *', 3)).toEqual([
    '2026-10-24T00:30:00.000Z',
    '2026-10-25T00:30:00.000Z',
    '2026-10-26T01:30:00.000Z',
  ]);
});

test('a daily schedule at another hour follows local time', () => {
  expect(timesFrom('2026-03-28T00:00:00Z', '0 8 * * *', 2)).toEqual([
    '2026-03-28T07:00:00.000Z',
    '2026-03-29T06:00:00.000Z',
  ]);
  expect(timesFrom('2026-10-24T00:00:00Z', '0 8 * * *', 2)).toEqual([
    '2026-10-24T06:00:00.000Z',
    '2026-10-25T07:00:00.000Z',
  ]);
});
