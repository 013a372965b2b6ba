import type { Message } from '../alerts/message.js';
import { truncate } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts, fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

/** Slack's limits: https://docs.slack.dev/reference/block-kit/blocks */
const LONGEST_HEADER = 150;
const LONGEST_SECTION = 3000;
const MARKS = { info: '', warning: '⚠️ ', critical: '🚨 ' };

const plain = (text: string) => ({ type: 'plain_text', text, emoji: true });

/** A message in Block Kit. Everything is plain text: a device's name cannot become a link or a mention. */
export function slackPayload(message: Message) {
  const { title, severity, fields, link } = message;
  const heading = truncate(MARKS[severity] + title, LONGEST_HEADER);
  return {
    // What a notification shows; unlike the blocks it knows mentions.
    text: truncate(heading, LONGEST_SECTION)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;'),
    blocks: [
      { type: 'header', text: plain(heading) },
      ...bodyParts(message).map((part) => ({
        type: 'section',
        text: plain(truncate(part, LONGEST_SECTION)),
      })),
      ...(fields.length > 0 ? [{ type: 'context', elements: [plain(fieldLine(fields))] }] : []),
      ...(link === undefined
        ? []
        : [
            { type: 'actions', elements: [{ type: 'button', text: plain('Open in mdm-reflex'), url: link }] },
          ]),
    ],
  };
}

/** Slack, by an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack = defineChannel({
  about: 'Slack, by an incoming webhook.',
  example: 'it-chat: { type: slack, url: "${env:SLACK_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, slackPayload(message), { signal }),
});
