import type { Message } from '../alerts/message.js';
import { truncate } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

/** Slack's limits: https://docs.slack.dev/reference/block-kit/blocks */
const MAX_HEADER_LENGTH = 150;
const MAX_SECTION_LENGTH = 3000;
/** Slack refuses a message whose blocks are longer together (msg_blocks_too_long), without documenting the limit of about 13,000. */
const MAX_TEXT_LENGTH = 12_000;
const MAX_CONTEXT_LENGTH = 2000;
const SEVERITY_PREFIXES = { info: '', warning: '⚠️ ', critical: '🚨 ' };

const plain = (text: string) => ({ type: 'plain_text', text, emoji: true });
const button = (label: string, url: string) => ({ type: 'button', text: plain(label), url });
const lengthOf = (text: string): number => text.length;

/** A message in Block Kit. All blocks are plain text, so a device name cannot become a link or a mention. */
export function slackPayload(message: Message) {
  const { title, severity, status, fields, link, action } = message;
  const prefix = status === 'resolved' ? '✅ ' : SEVERITY_PREFIXES[severity];
  const heading = truncate(prefix + title, MAX_HEADER_LENGTH);
  const parts = fittingParts(message, {
    maxSize: MAX_TEXT_LENGTH,
    maxPart: MAX_SECTION_LENGTH,
    sizeOf: lengthOf,
  });
  const buttons = [
    ...(action === undefined ? [] : [{ ...button(action.label, action.url), style: 'primary' }]),
    ...(link === undefined ? [] : [button('Open in mdm-reflex', link)]),
  ];
  return {
    // The text of the push notification. Unlike the blocks, it supports mentions and must be escaped.
    text: truncate(heading, MAX_SECTION_LENGTH)
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;'),
    blocks: [
      { type: 'header', text: plain(heading) },
      ...parts.map((part) => ({ type: 'section', text: plain(part) })),
      ...(fields.length > 0
        ? [{ type: 'context', elements: [plain(truncate(fieldLine(fields), MAX_CONTEXT_LENGTH))] }]
        : []),
      ...(buttons.length > 0 ? [{ type: 'actions', elements: buttons }] : []),
    ],
  };
}

/** Slack incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack = defineChannel({
  about: 'Slack, through an incoming webhook.',
  example: 'it-chat: { type: slack, url: "${env:SLACK_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, { signal }) => postJson(url, slackPayload(message), { signal }),
});
