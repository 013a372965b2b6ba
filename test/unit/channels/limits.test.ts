import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../src/alerts/alert.js';
import { composeMessage } from '../../../src/alerts/message.js';
import type { Message } from '../../../src/alerts/message.js';
import { discordPayload } from '../../../src/channels/discord.js';
import { emailHtml } from '../../../src/channels/email-html.js';
import { googleChatPayload } from '../../../src/channels/google-chat.js';
import { ntfyPayload } from '../../../src/channels/ntfy.js';
import { pagerDutyPayload } from '../../../src/channels/pagerduty.js';
import { slackPayload } from '../../../src/channels/slack.js';
import { teamsPayload } from '../../../src/channels/teams.js';
import { webhookPayload } from '../../../src/channels/webhook.js';
import { alertAbout } from './messages.js';

const bytes = (payload: unknown): number => Buffer.byteLength(JSON.stringify(payload));

/** Strings that are harder to fit or to show than plain letters, and a lone surrogate. */
const PIECES = [
  '管理',
  '💻',
  '👩‍💻',
  '"',
  '\\',
  '&',
  "'",
  '\n',
  ' ',
  '\u202e',
  '\u0007',
  '\u200b',
  '\ud83d',
  'x',
];

const text = fc.oneof(
  fc.constantFrom('', '   ', '\u200b', '\u202e', 'a name'),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc
    .tuple(
      fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 2000 }),
    )
    .map(([pieces, times]) => pieces.join('').repeat(times).slice(0, 8000)),
);

const alert: fc.Arbitrary<Alert> = fc
  .record({ name: text, title: text, text, description: fc.option(text, { nil: undefined }) })
  .map(({ name, ...rest }) => alertAbout(name, rest));

const groups = fc.array(
  fc.record({
    alerts: fc
      .tuple(fc.array(alert, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 12 }))
      .map(([few, times]) => Array.from({ length: times }, () => few).flat()),
    more: fc.nat(10_000),
  }),
  { minLength: 1, maxLength: 15 },
);

const message = groups.map((generated) =>
  composeMessage('0123456789abcdef01234567', generated, new Date(0), 'https://reflex.example.org'),
);

const forAllMessages = (check: (message: Message) => void): void =>
  fc.assert(fc.property(message, check), { numRuns: 30 });

describe('for any alerts', () => {
  test('titles are visible, no characters are deceptive, and no surrogate pair is split', () => {
    forAllMessages((composed) => {
      expect(composed.title).toMatch(/[^\p{C}\p{Z}]/u);
      const { id: _id, ...shown } = composed;
      const texts = JSON.stringify(webhookPayload({ id: 'x', ...shown }));
      expect(texts).not.toMatch(/[\u202a-\u202e\u2066-\u2069]|\\u00[01]|\\ud[89a-f]/);
      expect(composed.sections.length).toBeLessThanOrEqual(10);
    });
  });

  test('Slack: at most 50 blocks, none too long or empty', () => {
    forAllMessages((composed) => {
      const { blocks } = slackPayload(composed);
      expect(blocks.length).toBeLessThanOrEqual(50);
      for (const block of blocks) {
        if (!('text' in block)) continue;
        expect(block.text.text).toMatch(/[^\p{C}\p{Z}]/u);
        expect(block.text.text.length).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3000);
        expect(JSON.stringify(block.text.text)).not.toMatch(/\\ud[89a-f]/);
      }
    });
  });

  test('Teams: less than 28 KB', () => {
    forAllMessages((composed) => expect(bytes(teamsPayload(composed))).toBeLessThan(28_000));
  });

  test('Google Chat: less than 32 KB', () => {
    forAllMessages((composed) => expect(bytes(googleChatPayload(composed))).toBeLessThan(32_000));
  });

  test('ntfy: less than 4096 bytes', () => {
    forAllMessages((composed) => expect(bytes(ntfyPayload('t'.repeat(64), composed))).toBeLessThan(4096));
  });

  test('Discord: an embed of at most 6000 characters', () => {
    forAllMessages((composed) => {
      const [embed] = discordPayload(composed).embeds;
      const { title = '', description = '', fields = [] } = embed ?? {};
      const texts = [title, description, ...fields.flatMap(({ name, value }) => [name, value])];
      expect(title.length).toBeLessThanOrEqual(256);
      expect(description.length).toBeLessThanOrEqual(4096);
      expect(texts.join('').length).toBeLessThanOrEqual(6000);
    });
  });

  test('PagerDuty: details of a readable length', () => {
    forAllMessages((composed) => {
      const event = pagerDutyPayload('key', composed);
      expect(event.dedup_key.length).toBeLessThanOrEqual(255);
      if (!('payload' in event)) throw new Error('these alerts are triggered');
      expect(event.payload.summary.length).toBeLessThanOrEqual(1024);
      expect(bytes(event.payload.custom_details)).toBeLessThan(24_000);
    });
  });
});

test('a section has up to 100 lines in an e-mail and 10 in a chat, and the number of remaining alerts', () => {
  const alerts = Array.from({ length: 110 }, (_unused, index) => alertAbout(`Mac ${index + 1}`));
  const compose = (maxLines?: number): Message =>
    composeMessage('m', [{ alerts, more: 5 }], new Date(0), undefined, maxLines);
  expect(compose().sections).toMatchObject([{ items: { length: 10 }, more: 105 }]);
  expect(compose(100).sections).toMatchObject([{ items: { length: 100 }, more: 15 }]);
  expect(emailHtml(compose(100))).toContain('Mac 100 joined');
  expect(compose().title).toBe('115 × New Macs');
});

test('a message shows ten groups and the number of remaining groups', () => {
  const composed = composeMessage(
    'm',
    Array.from({ length: 12 }, (_unused, index) => ({
      alerts: [alertAbout('a', { rule: `rule-${index}`, description: undefined })],
    })),
    new Date(0),
    undefined,
  );
  const more = 'and 2 more groups';
  for (const payload of [
    slackPayload(composed),
    teamsPayload(composed),
    discordPayload(composed).embeds[0]?.description,
    googleChatPayload(composed),
    ntfyPayload('t', composed),
    pagerDutyPayload('k', composed),
    emailHtml(composed),
  ])
    expect(JSON.stringify(payload)).toContain(more);
  expect(webhookPayload(composed)).toMatchObject({ data: { more_groups: 2, count: 12 } });
});
