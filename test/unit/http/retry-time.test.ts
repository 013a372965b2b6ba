import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { retryTime } from '../../../src/http/retry-time.js';

const NOW = Date.UTC(2026, 0, 31, 8, 0, 0);
const HOUR = 3_600_000;

/** The wait in milliseconds; undefined when the response names no time. */
function wait(headers: Record<string, string>, status = 429): number | undefined {
  const until = retryTime(status, new Headers(headers), NOW);
  return until === undefined ? undefined : until - NOW;
}

const later = (ms: number): string => new Date(NOW + ms).toUTCString();
const epoch = (ms: number): string => String((NOW + ms) / 1000);

describe('retryAfterTime', () => {
  test.each<[string, Record<string, string>, number]>([
    ['no header', {}, 30_000],
    ['seconds', { 'Retry-After': '5' }, 5000],
    ['no wait', { 'Retry-After': '0' }, 0],
    ['fractions of a second', { 'Retry-After': '1.5' }, 1500],
    ['seconds with spaces', { 'Retry-After': ' 7 ' }, 7000],
    ['a date', { 'Retry-After': later(10_000) }, 10_000],
    ['a date in the past', { 'Retry-After': later(-10_000) }, 0],
    ['a reset time', { 'X-RateLimit-Reset': epoch(20_000) }, 20_000],
    ['a reset time in the past', { 'X-RateLimit-Reset': epoch(-20_000) }, 0],
    ['both: Retry-After wins', { 'Retry-After': '3', 'X-RateLimit-Reset': epoch(20_000) }, 3000],
    ['years', { 'Retry-After': '999999999' }, HOUR],
    ['a date in years', { 'Retry-After': later(HOUR * 24 * 365) }, HOUR],
    ['more digits than a number can hold', { 'Retry-After': '9'.repeat(400) }, HOUR],
    ['a reset time in milliseconds', { 'X-RateLimit-Reset': String(NOW + 20_000) }, HOUR],
    [
      'an unreadable Retry-After, then a reset time',
      { 'Retry-After': 'soon', 'X-RateLimit-Reset': epoch(20_000) },
      20_000,
    ],
  ])('%s', (_what, headers, expected) => {
    expect(wait(headers)).toBe(expected);
  });

  // Neither a number of seconds nor a date of RFC 9110: ignored, and no reason to retry immediately.
  test.each(['soon', '', '30s', '1e3', '0x10', '-5', '+3', '5, 5'])('Retry-After: %s is ignored', (value) => {
    expect(wait({ 'Retry-After': value })).toBe(30_000);
  });

  test.each(['soon', '-5', ''])('X-RateLimit-Reset: %s is ignored', (value) => {
    expect(wait({ 'X-RateLimit-Reset': value })).toBe(30_000);
  });

  test('other statuses need a header', () => {
    for (const status of [500, 502, 503, 504]) {
      expect(wait({}, status)).toBeUndefined();
      expect(wait({ 'Retry-After': 'soon' }, status)).toBeUndefined();
      expect(wait({ 'Retry-After': '5' }, status)).toBe(5000);
      expect(wait({ 'X-RateLimit-Reset': epoch(20_000) }, status)).toBe(20_000);
    }
  });

  test('any headers give a time between now and an hour from now', () => {
    const header = fc.oneof(
      fc.stringMatching(/^[ -~]*$/),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(header, header, (after, reset) => {
        const found = wait({ 'Retry-After': after, 'X-RateLimit-Reset': reset });
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(HOUR);
      }),
    );
  });
});
