import { describe, expect, test } from '@jest/globals';
import { discordPayload } from '../../../src/channels/discord.js';
import { googleChatPayload } from '../../../src/channels/google-chat.js';
import { ntfyPayload } from '../../../src/channels/ntfy.js';
import { pagerDutyPayload } from '../../../src/channels/pagerduty.js';
import { slackPayload } from '../../../src/channels/slack.js';
import { teamsPayload } from '../../../src/channels/teams.js';
import { webhookPayload } from '../../../src/channels/webhook.js';
import type { Message } from '../../../src/alerts/message.js';
import { MESSAGES } from './messages.js';

const PAYLOADS: Readonly<Record<string, (message: Message) => unknown>> = {
  slack: slackPayload,
  teams: teamsPayload,
  discord: discordPayload,
  google_chat: googleChatPayload,
  ntfy: (message) => ntfyPayload('topic', message),
  pagerduty: (message) => pagerDutyPayload('key', message),
  webhook: webhookPayload,
};

function message(name: string): Message {
  const found = MESSAGES[name];
  if (found === undefined) throw new Error(`there is no message ${name}`);
  return found;
}

describe.each(Object.entries(PAYLOADS))('%s', (type, payloadOf) => {
  test.each(['one', 'many', 'digest', 'hostile', 'bare', 'resolved', 'question'])('%s', (name) => {
    const { alerts, ...shown } = message(name);
    // Only the webhook lists every alert: two of them are enough to read.
    expect(payloadOf({ ...shown, alerts: alerts.slice(0, 2) })).toMatchSnapshot();
  });

  test('shows the number of alerts and lists only the first ten', () => {
    // Machines get all alerts.
    const text = JSON.stringify(payloadOf(message('many')), (name: string, value: unknown) =>
      name === 'alerts' ? undefined : value,
    );
    expect(text).toContain('500 × New Macs');
    expect(text).toMatch(/Mac 10 joined/);
    expect(text).not.toMatch(/Mac 11/);
    expect(text).toContain('490');
  });

  test('shows the page that a person must open, with its label', () => {
    const text = JSON.stringify(payloadOf(message('question'))).replaceAll('\\\\', '');
    expect(text).toContain('https://reflex.example.org/approvals/x_*y?a=1&b=%3C2%3E');
    expect(text).toContain('Approve or reject');
  });

  test('stays within the size limit of the service', () => {
    const limit = type === 'webhook' ? 64_000 : 28_000;
    expect(JSON.stringify(payloadOf(message('endless'))).length).toBeLessThan(limit);
  });
});

describe('text from a device stays plain text', () => {
  const text = (type: string): string => JSON.stringify(PAYLOADS[type]?.(message('hostile')));

  test('Slack: in no field that supports mentions or links', () => {
    const { text: fallback, blocks } = slackPayload(message('hostile'));
    expect(fallback).not.toMatch(/[<>]/);
    expect(JSON.stringify(blocks)).not.toContain('mrkdwn');
  });

  test('Teams: in TextRun elements, which do not support Markdown', () => {
    expect(text('teams')).not.toContain('"TextBlock"');
    expect(text('teams')).toContain('"TextRun"');
  });

  test('Discord: without mentions and links', () => {
    const payload = discordPayload(message('hostile'));
    expect(payload.allowed_mentions).toEqual({ parse: [] });
    expect(payload.embeds[0]?.title).not.toMatch(/[^\\]\[click\]/);
    expect(payload.embeds[0]?.title).toContain('\\@everyone');
  });

  test('Google Chat: with escaped HTML', () => {
    expect(text('google_chat')).not.toContain('<script>');
    expect(text('google_chat')).toContain('&lt;script&gt;');
  });
});
