import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { matchesType, problemWithPattern } from '../../../src/rules/model/event-pattern.js';

const KNOWN = [
  'device.enrolled',
  'device.unenrolled',
  'device.changed_group',
  'abm.device.added',
  'test_event',
];

describe('matchesType', () => {
  test.each([
    ['device.enrolled', 'device.enrolled', true],
    ['device.enrolled', 'device.enrolled.again', false],
    ['device.enrolled', 'Device.Enrolled', false],
    ['device.enrolled', 'deviceXenrolled', false],
    ['device.*', 'device.enrolled', true],
    ['device.*', 'device.lock.enabled', true],
    ['device.*', 'deviceXenrolled', false],
    ['device.*', 'device', false],
    ['device.*', 'abm.device.added', false],
    ['*.added', 'abm.device.added', true],
    ['*.added', 'abm.device.added.x', false],
    ['device.*.enabled', 'device.lock.enabled', true],
    ['device.*.enabled', 'device.enabled', false],
    ['device.en*', 'device.enrolled', true],
    ['*', 'anything', true],
    ['**', 'anything', true],
    ['', 'x', false],
  ])('%s matches %s: %s', (pattern, type, expected) => {
    expect(matchesType(pattern, type)).toBe(expected);
  });

  const type = fc.stringMatching(/^[a-z]{1,4}(\.[a-z]{1,4}){0,3}$/);
  test('a type matches itself, `*`, and itself with any part replaced by `*`', () => {
    fc.assert(
      fc.property(type, fc.nat(), fc.nat(), (name, from, length) => {
        const start = from % (name.length + 1);
        const end = Math.min(name.length, start + (length % 5));
        expect(matchesType(name, name)).toBe(true);
        expect(matchesType('*', name)).toBe(true);
        expect(matchesType(`${name.slice(0, start)}*${name.slice(end)}`, name)).toBe(true);
        expect(matchesType(`${name}x`, name)).toBe(false);
        expect(matchesType(`${name}*x`, name)).toBe(false);
      }),
    );
  });

  // `GET /api/events?type=…` passes any text.
  test.each(['(*', '[*', '*\\', '+*', '?*'])('%s is not read as a regular expression', (pattern) => {
    expect(matchesType(pattern, 'device.enrolled')).toBe(false);
    expect(matchesType(pattern, pattern.replace('*', 'x'))).toBe(true);
  });

  test('many stars do not take forever', () => {
    const startedAt = process.cpuUsage();
    expect(matchesType(`${'*a'.repeat(5)}b`, 'a'.repeat(128))).toBe(false);
    // The time of the processor: another program that is busy does not count.
    expect(process.cpuUsage(startedAt).user / 1000).toBeLessThan(250);
  });
});

describe('problemWithPattern', () => {
  test.each(['device.enrolled', 'device.*', '*', 'device.enroled*', 'my.own.thing', 'profile.installed'])(
    '%s is valid',
    (pattern) => {
      expect(problemWithPattern(pattern, KNOWN)).toBeUndefined();
    },
  );

  test.each([
    ['device.enroled', 'device.enrolled'],
    ['Device.Enrolled', 'device.enrolled'],
    ['device.change_group', 'device.changed_group'],
    ['test-event', 'test_event'],
  ])('%s looks like a misspelled %s', (pattern, meant) => {
    expect(problemWithPattern(pattern, KNOWN)).toBe(
      `unknown event type "${pattern}"; did you mean "${meant}"? (for a new type with a similar name write a pattern: "${pattern}*")`,
    );
  });
});
