import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deliveryPolicyFrom, dueAt } from '../../../src/alerts/delivery-policy.js';
import { isSilenced } from '../../../src/alerts/silences.js';
import { alertAbout } from '../channels/messages.js';

const S = 1000;

describe('dueAt', () => {
  const policy = deliveryPolicyFrom({ group_wait: '10s', group_interval: '5m' });

  test.each([
    ['ten seconds after a single alert', { firstAt: 0, lastAt: 0, sentAt: undefined }, 10 * S],
    [
      'ten seconds after the last of several alerts',
      { firstAt: 0, lastAt: 50 * S, sentAt: undefined },
      60 * S,
    ],
    [
      'after five minutes at the latest, even if more alerts are added',
      { firstAt: 0, lastAt: 299 * S, sentAt: undefined },
      300 * S,
    ],
    ['five minutes after the last message', { firstAt: 60 * S, lastAt: 60 * S, sentAt: 30 * S }, 330 * S],
    [
      'ten seconds after the alert if the last message is old',
      { firstAt: 900 * S, lastAt: 900 * S, sentAt: 30 * S },
      910 * S,
    ],
  ])('is %s', (_when, group, expected) => {
    expect(dueAt(group, policy)).toBe(expected);
  });

  test('is the next time of the digest schedule', () => {
    const digest = deliveryPolicyFrom({ digest: { schedule: '0 8 * * 1', timezone: 'Europe/Berlin' } });
    const firstAt = Date.parse('2026-01-28T12:00:00Z');
    expect(new Date(dueAt({ firstAt, lastAt: firstAt, sentAt: undefined }, digest)).toISOString()).toBe(
      '2026-02-02T07:00:00.000Z',
    );
  });

  test('is never before the last alert, nor later than the group interval', () => {
    fc.assert(
      fc.property(
        fc.record({
          firstAt: fc.nat(1e6),
          span: fc.nat(1e6),
          sentAt: fc.option(fc.nat(1e6), { nil: undefined }),
        }),
        ({ firstAt, span, sentAt }) => {
          const lastAt = firstAt + Math.min(span, policy.groupIntervalMs);
          const due = dueAt({ firstAt, lastAt, sentAt }, policy);
          expect(due).toBeGreaterThanOrEqual(lastAt);
          expect(due).toBeLessThanOrEqual(Math.max(firstAt, sentAt ?? 0) + policy.groupIntervalMs);
          if (sentAt !== undefined) expect(due).toBeGreaterThanOrEqual(sentAt + policy.groupIntervalMs);
        },
      ),
    );
  });
});

describe('a silence', () => {
  const until = '2026-01-31T12:00:00Z';
  const now = new Date('2026-01-31T08:00:00Z');
  const matches = (match: Record<string, string>, at = now): boolean =>
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
  ])('%j matches the alert: %s', (match, expected) => {
    expect(matches(match)).toBe(expected);
  });

  test('matches nothing after its end', () => {
    expect(matches({ rule: '*' }, new Date(until))).toBe(false);
  });
});
