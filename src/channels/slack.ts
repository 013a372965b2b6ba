import type { Message } from '../alerts/message.js';
import { truncate } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts, fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

/** Slack's limits: https://docs.slack.dev/reference/block-kit/blocks */
const MAX_HEADER_LENGTH = 150;
const MAX_SECTION_LENGTH = 3000;
const SEVERITY_PREFIXES = { info: '', warning: '⚠️ ', critical: '🚨 ' };

const plain = (text: string) => ({ type: 'plain_text', text, emoji: true });

/** A message in Block Kit. All blocks are plain text, so a device name cannot become a link or a mention. */
export function slackPayload(message: Message) {
  const { title, severity, fields, link } = message;
  const heading = truncate(SEVERITY_PREFIXES[severity] + title, MAX_HEADER_LENGTH);
  return {
    // The text of the push notification. Unlike the blocks, it supports mentions and must be escaped.
    text: truncate(heading, MAX_SECTION_LENGTH)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;'),
    blocks: [
      { type: 'header', text: plain(heading) },
      ...bodyParts(message).map((part) => ({
        type: 'section',
        text: plain(truncate(part, MAX_SECTION_LENGTH)),
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

/** Slack incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack = defineChannel({
  about: 'Slack, through an incoming webhook.',
  example: 'it-chat: { type: slack, url: "${env:SLACK_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, slackPayload(message), { signal }),
});
