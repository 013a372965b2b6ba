import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../src/alerts/alert.js';
import { bytesInJson, fairShares } from '../../../src/alerts/display-text.js';
import { composeMessage } from '../../../src/alerts/message.js';
import type { Message } from '../../../src/alerts/message.js';
import { discordPayload } from '../../../src/channels/discord.js';
import { emailHtml } from '../../../src/channels/email-html.js';
import { fittingParts, withFittingTexts } from '../../../src/channels/fit-texts.js';
import { googleChatPayload } from '../../../src/channels/google-chat.js';
import { ntfyPayload } from '../../../src/channels/ntfy.js';
import { pagerDutyPayload } from '../../../src/channels/pagerduty.js';
import { bodyText } from '../../../src/channels/plain-text.js';
import { slackPayload } from '../../../src/channels/slack.js';
import { teamsPayload } from '../../../src/channels/teams.js';
import { webhookPayload } from '../../../src/channels/webhook.js';
import { alertAbout } from './messages.js';

const compose = (...groups: Alert[][]): Message =>
  composeMessage(
    'm',
    groups.map((alerts) => ({ alerts })),
    new Date(0),
    undefined,
  );

const lengthOf = (text: string): number => text.length;

/** Alerts whose texts start with a marker of their own. */
const withTexts = (count: number, length: number, more: Partial<Alert> = {}): Alert[] =>
  Array.from({ length: count }, (_unused, index) =>
    alertAbout(`Mac ${index + 1}`, { text: `begin-${index + 1} ${'x'.repeat(length)}`, ...more }),
  );

const PAYLOADS: Readonly<Record<string, (message: Message) => unknown>> = {
  slack: slackPayload,
  teams: teamsPayload,
  discord: (message) => discordPayload(message).embeds[0]?.description?.replaceAll('\\', ''),
  google_chat: googleChatPayload,
  ntfy: (message) => ntfyPayload('topic', message),
  pagerduty: (message) => pagerDutyPayload('key', message),
  webhook: webhookPayload,
  email: (message) => emailHtml(message) + bodyText(message),
};

describe.each(Object.entries(PAYLOADS))('a grouped message: %s', (type, payloadOf) => {
  test('has the title and the whole text of each alert when there is room', () => {
    const shown = JSON.stringify(payloadOf(compose(withTexts(5, 20))));
    for (let index = 1; index <= 5; index += 1) {
      expect(shown).toContain(`Mac ${index} joined`);
      expect(shown).toContain(`begin-${index} ${'x'.repeat(20)}`);
    }
  });

  test('has the title and the beginning of the text of each alert when the texts are long', () => {
    const shown = JSON.stringify(payloadOf(compose(withTexts(10, 40_000))));
    for (let index = 1; index <= 10; index += 1) {
      expect(shown).toContain(`Mac ${index} joined`);
      expect(shown).toContain(`begin-${index} xxx`);
    }
  });

  test('a digest has the titles and texts of all groups that it shows', () => {
    const shown = JSON.stringify(
      payloadOf(
        compose(
          withTexts(3, 10, { rule: 'a', description: 'First' }),
          withTexts(3, 10, { rule: 'b', description: 'Second' }),
        ),
      ),
    );
    expect(shown.match(/begin-3 xxx/g)?.length).toBeGreaterThanOrEqual(2);
    if (type !== 'webhook') expect(shown).toContain('3 × Second');
  });
});

describe('texts that do not fit', () => {
  test('are shortened fairly: a short text stays whole beside a long one', () => {
    const alerts = [
      alertAbout('long', { text: 'a'.repeat(5000) }),
      alertAbout('short', { text: 'all of the short text' }),
      alertAbout('long too', { text: 'b'.repeat(5000) }),
    ];
    const [part = ''] = fittingParts(compose(alerts), { maxSize: 400, sizeOf: lengthOf });
    expect(part.length).toBeLessThanOrEqual(400);
    expect(part).toContain('all of the short text');
    const [first = '', second = ''] = part.match(/a{9,}|b{9,}/g) ?? [];
    expect(Math.abs(first.length - second.length)).toBeLessThanOrEqual(1);
  });

  test('are left out when only a few letters would be left, and their number is shown', () => {
    const [part = ''] = fittingParts(compose(withTexts(10, 500)), { maxSize: 240, sizeOf: lengthOf });
    expect(part).toContain('• Mac 10 joined');
    expect(part).not.toContain('begin-');
    expect(part).toMatch(/… without the texts of 10 alerts$/);
    expect(part.length).toBeLessThanOrEqual(240);
  });

  test('that are all the same are shown once', () => {
    const alerts = ['a', 'b', 'c'].map((name) => alertAbout(name, { text: 'The same for all' }));
    const [part = ''] = fittingParts(compose(alerts), { maxSize: 1000, sizeOf: lengthOf });
    expect(part).toBe('The same for all\n• a joined\n• b joined\n• c joined');
  });

  test('cannot look like another alert: each line is indented', () => {
    const alerts = [alertAbout('a', { text: 'x\n• Server room joined' }), alertAbout('b', { text: 'y' })];
    const [part = ''] = fittingParts(compose(alerts), { maxSize: 1000, sizeOf: lengthOf });
    expect(part).toBe('• a joined\n  x\n  • Server room joined\n• b joined\n  y');
  });

  test('for any alerts and size: within the size, and no surrogate pair is split', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('', '💻'.repeat(50), '"\n\\'.repeat(30), 'x'.repeat(300)),
    );
    const alerts = fc.array(
      fc.record({ title: text, text }).map((fields) => alertAbout('a', fields)),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(
        fc.array(alerts, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.constantFrom(lengthOf, bytesInJson),
        (groups, maxSize, sizeOf) => {
          const parts = fittingParts(compose(...groups), { maxSize, maxPart: 900, sizeOf });
          // A part with no room at all is an ellipsis.
          expect(sizeOf(parts.join(''))).toBeLessThanOrEqual(maxSize + parts.length * sizeOf('…'));
          for (const part of parts) expect(sizeOf(part)).toBeLessThanOrEqual(900);
          expect(JSON.stringify(parts)).not.toMatch(/\\ud[89a-f]/);
        },
      ),
      { numRuns: 120 },
    );
  });

  test('an e-mail keeps every text up to a total of 300,000 characters', () => {
    const message = withFittingTexts(
      composeMessage('m', [{ alerts: withTexts(100, 4000) }], new Date(0), undefined, 100),
      300_000,
    );
    const texts = message.sections.flatMap(({ items }) => items.map((item) => item.text));
    expect(texts).toHaveLength(100);
    expect(texts.join('').length).toBeLessThanOrEqual(300_000);
    expect(texts.every((text, index) => text.startsWith(`begin-${index + 1} xxx`))).toBe(true);
  });
});

test('shares are fair: nobody gets more than it needs, and what is left goes to the others', () => {
  expect(fairShares([10, 100, 100], 90)).toEqual([10, 40, 40]);
  expect(fairShares([1, 2, 3], 100)).toEqual([1, 2, 3]);
  expect(fairShares([5, 5], 0)).toEqual([0, 0]);
  expect(fairShares([], 10)).toEqual([]);
});
