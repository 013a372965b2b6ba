import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isDuring } from '../../../src/rules/cel/business-hours.js';

const BERLIN = 'Europe/Berlin';

/** Whether a local time in Berlin without daylight saving, such as `Mon 09:00`, is within hours. */
function duringAt(hours: string, local: string): boolean {
  const [day = '', time = ''] = local.split(' ');
  // 2026-01-05 is a Monday; Berlin is at UTC+1.
  const date = 5 + ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(day);
  return isDuring(hours, BERLIN, new Date(`2026-01-${String(date).padStart(2, '0')}T${time}:00+01:00`));
}

describe('during', () => {
  test.each([
    ['Mon-Fri 09:00-17:00', 'Mon 09:00', true],
    ['Mon-Fri 09:00-17:00', 'Mon 08:59', false],
    ['Mon-Fri 09:00-17:00', 'Fri 16:59', true],
    ['Mon-Fri 09:00-17:00', 'Fri 17:00', false],
    ['Mon-Fri 09:00-17:00', 'Sat 12:00', false],
    ['Monday – Friday 9:00–17:00', 'Tue 12:00', true],
    ['Sat,Sun', 'Sun 23:59', true],
    ['Sat,Sun', 'Mon 00:00', false],
    ['Sat, Sun 10:00-12:00', 'Sat 09:00', false],
    ['Sat, Sun 10:00-12:00', 'Sat 11:00', true],
    ['Mon-Fri 09:00-12:00, 13:00-17:00', 'Wed 12:30', false],
    ['Mon-Fri 09:00-12:00, 13:00-17:00', 'Wed 13:00', true],
    ['Mon-Fri 09:00-12:00, 13:00-17:00', 'Sun 13:00', false],
    ['Mon-Fri 09:00-17:00, Sat 10:00-14:00', 'Sat 13:00', true],
    ['Mon-Fri 09:00-17:00, Sat', 'Sat 03:00', true],
    ['22:00-06:00', 'Wed 23:00', true],
    ['22:00-06:00', 'Wed 05:59', true],
    ['22:00-06:00', 'Wed 06:00', false],
    ['Fri 22:00-06:00', 'Sat 05:00', true],
    ['Fri 22:00-06:00', 'Fri 05:00', false],
    ['Sun 22:00-06:00', 'Mon 05:00', true],
    ['Fri-Mon 00:00-24:00', 'Sun 12:00', true],
    ['Fri-Mon 00:00-24:00', 'Tue 12:00', false],
    ['18:00-24:00', 'Tue 23:59', true],
    ['18:00-24:00', 'Wed 00:00', false],
  ])('%s, on %s: %s', (hours, local, expected) => {
    expect(duringAt(hours, local)).toBe(expected);
  });

  test('follows the clocks when they change', () => {
    // On 2026-03-29 Berlin goes from UTC+1 to UTC+2 at 01:00 UTC, on 2026-10-25 back at 01:00 UTC.
    expect(isDuring('09:00-17:00', BERLIN, new Date('2026-03-28T08:00:00Z'))).toBe(true);
    expect(isDuring('09:00-17:00', BERLIN, new Date('2026-03-29T07:00:00Z'))).toBe(true);
    expect(isDuring('09:00-17:00', BERLIN, new Date('2026-03-29T06:59:00Z'))).toBe(false);
    expect(isDuring('Sat 22:00-06:00', BERLIN, new Date('2026-03-29T03:59:00Z'))).toBe(true);
    expect(isDuring('Sat 22:00-06:00', BERLIN, new Date('2026-03-29T04:00:00Z'))).toBe(false);
    expect(isDuring('02:00-03:00', BERLIN, new Date('2026-10-25T00:30:00Z'))).toBe(true);
    expect(isDuring('02:00-03:00', BERLIN, new Date('2026-10-25T01:30:00Z'))).toBe(true);
  });

  test('a day has 24 hours between a range and its opposite', () => {
    const time = fc.integer({ min: 0, max: 1439 });
    const clock = (minutes: number): string =>
      `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        time,
        time,
        fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        (a, b, now) => {
          fc.pre(a !== b);
          expect(isDuring(`${clock(a)}-${clock(b)}`, BERLIN, now)).toBe(
            !isDuring(`${clock(b)}-${clock(a)}`, BERLIN, now),
          );
        },
      ),
    );
  });

  test.each([
    ['Mon-Fri 9-17', '"9-17" is not a range of times: write 09:00-17:00'],
    ['Mon-Fri 9am-5pm', '"9am-5pm" is not a range of times: write 09:00-17:00'],
    ['Mo-Fr 09:00-17:00', '"Mo" is not a day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun'],
    ['weekdays', '"weekdays" is not a day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun'],
    ['', '"" is neither days nor times: write hours such as "Mon-Fri 09:00-17:00"'],
    ['Mon,', '"" is neither days nor times: write hours such as "Mon-Fri 09:00-17:00"'],
    ['09:00-25:00', '"09:00-25:00" has a time that no clock shows: the last one is 24:00'],
    ['09:00-09:60', '"09:00-09:60" has a time that no clock shows: the last one is 24:00'],
    ['09:00-09:00', '"09:00-09:00" is no time at all: for the whole day write 00:00-24:00'],
  ])('%j is a mistake', (hours, message) => {
    expect(() => isDuring(hours, BERLIN, new Date())).toThrow(message);
  });

  test('a misspelled time zone', () => {
    expect(() => isDuring('Mon', 'Europe/Berln', new Date())).toThrow(
      'unknown time zone "Europe/Berln"; did you mean "Europe/Berlin"?',
    );
  });
});
