import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deliveryPolicyFrom, dueAt } from '../../../src/alerts/delivery-policy.js';
import { isSilenced } from '../../../src/alerts/silences.js';
import { alertAbout } from '../channels/messages.js';

const S = 1000;

describe('when a group becomes a message', () => {
  const calm = deliveryPolicyFrom({ group_wait: '10s', group_interval: '5m' });

  test.each([
    ['ten seconds after one alert', { first: 0, last: 0, sent: undefined }, 10 * S],
    ['ten seconds after the last of several', { first: 0, last: 50 * S, sent: undefined }, 60 * S],
    [
      'after five minutes at the latest, however many more come',
      { first: 0, last: 299 * S, sent: undefined },
      300 * S,
    ],
    ['five minutes after the last message', { first: 60 * S, last: 60 * S, sent: 30 * S }, 330 * S],
    [
      'as if for the first time when that was long ago',
      { first: 900 * S, last: 900 * S, sent: 30 * S },
      910 * S,
    ],
  ])('%s', (_when, group, expected) => {
    expect(dueAt(group, calm)).toBe(expected);
  });

  test('at the next time of the digest', () => {
    const digest = deliveryPolicyFrom({ digest: { schedule: '0 8 * * 1', timezone: 'Europe/Berlin' } });
    const first = Date.parse('2026-01-28T12:00:00Z');
    expect(new Date(dueAt({ first, last: first, sent: undefined }, digest)).toISOString()).toBe(
      '2026-02-02T07:00:00.000Z',
    );
  });

  test('never before its last alert, nor much later than the interval', () => {
    fc.assert(
      fc.property(
        fc.record({
          first: fc.nat(1e6),
          more: fc.nat(1e6),
          sent: fc.option(fc.nat(1e6), { nil: undefined }),
        }),
        ({ first, more, sent }) => {
          const last = first + Math.min(more, calm.groupIntervalMs);
          const due = dueAt({ first, last, sent }, calm);
          expect(due).toBeGreaterThanOrEqual(last);
          expect(due).toBeLessThanOrEqual(Math.max(first, sent ?? 0) + calm.groupIntervalMs);
          if (sent !== undefined) expect(due).toBeGreaterThanOrEqual(sent + calm.groupIntervalMs);
        },
      ),
    );
  });
});

describe('a silence', () => {
  const until = '2026-01-31T12:00:00Z';
  const now = new Date('2026-01-31T08:00:00Z');
  const silences = (match: Record<string, string>, at = now): boolean =>
    isSilenced(alertAbout('lab-7', { labels: { team: 'it' } }), { id: 's', match, until, comment: '' }, at);

  test.each([
    [{ rule: 'new-macs' }, true],
    [{ rule: 'NEW-*' }, true],
    [{ rule: 'new-macs', device_name: 'lab-*' }, true],
    [{ rule: 'new-macs', device_name: 'office-*' }, false],
    [
      {
        team: 'it',
        account: 'acme',
        channel: 'it-chat',
        event_type: 'device.*',
        device: '54',
        severity: 'info',
      },
      true,
    ],
    [{ no_such_label: '*' }, false],
    [{ constructor: '*' }, false],
  ])('%j takes the alert in: %s', (match, expected) => {
    expect(silences(match)).toBe(expected);
  });

  test('is over when its time is', () => {
    expect(silences({ rule: '*' }, new Date(until))).toBe(false);
  });
});
