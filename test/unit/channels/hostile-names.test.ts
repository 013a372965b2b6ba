import { describe, expect, test } from '@jest/globals';
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
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { alertAbout } from './messages.js';

const AT = new Date('2026-01-31T08:00:00Z');
const MORE = { description: undefined, rule: 'new-macs' };

/** One alert, several of one group and a digest, with a name in every text. */
function messagesAbout(name: string): readonly Message[] {
  const alert = alertAbout(name, { ...MORE, title: name, text: `${name}\n${name}` });
  const other = alertAbout(`other ${name}`, { ...MORE, title: `other ${name}`, text: name });
  return [[[alert]], [[alert, other]], [[alert], [other]]].map((groups) =>
    composeMessage(
      'm',
      groups.map((alerts) => ({ alerts })),
      AT,
      'https://reflex.example.org',
    ),
  );
}

/** Every text within a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what the pattern looks for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}\p{Surrogate}]/u;

const PAYLOADS: Readonly<Record<string, (message: Message) => unknown>> = {
  slack: slackPayload,
  teams: teamsPayload,
  discord: discordPayload,
  google_chat: googleChatPayload,
  ntfy: (message) => ntfyPayload('topic', message),
  pagerduty: (message) => pagerDutyPayload('key', message),
  webhook: webhookPayload,
  email: emailHtml,
};

describe.each(HOSTILE_NAMES)('%j', (name) => {
  const messages = messagesAbout(name);

  test('hides no character in any message', () => {
    for (const payloadOf of Object.values(PAYLOADS))
      for (const text of messages.flatMap((message) => textsIn(payloadOf(message))))
        expect(text).not.toMatch(UNSAFE);
  });

  test('is no mention, link or style in Slack', () => {
    for (const { text, blocks } of messages.map(slackPayload)) {
      expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
      expect(JSON.stringify(blocks)).not.toContain('"mrkdwn"');
    }
  });

  test('is no Markdown and no mention in Discord', () => {
    for (const payload of messages.map(discordPayload)) {
      expect(payload.allowed_mentions).toEqual({ parse: [] });
      const [{ title, description = '', fields } = { title: '', fields: [] }] = payload.embeds;
      for (const text of [title, description, ...fields.map(({ value }) => value)])
        expect(text.replace(/\\[\\*_~`|>#[\]()<:@-]/g, '')).not.toMatch(/[\\*_~`|>#[\]()<:@-]/);
    }
  });

  test('is plain text in Teams', () => {
    for (const payload of messages.map(teamsPayload)) {
      const types = JSON.stringify(payload).match(/"type":"[A-Za-z.]+"/g) ?? [];
      expect(types).not.toContain('"type":"TextBlock"');
      expect(types).toContain('"type":"TextRun"');
    }
  });

  test('is no HTML in Google Chat and in e-mail', () => {
    for (const payload of messages.map(googleChatPayload)) {
      for (const {
        textParagraph: { text } = { text: '' },
      } of payload.cardsV2[0]?.card.sections[0]?.widgets.flatMap((widget) =>
        'textParagraph' in widget ? [widget] : [],
      ) ?? [])
        expect(text.replaceAll('<br>', '')).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
    }
    const tags = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];
    const harmless = messagesAbout('Mac').map(emailHtml).map(tags);
    expect(messages.map(emailHtml).map(tags)).toEqual(harmless);
  });
});
