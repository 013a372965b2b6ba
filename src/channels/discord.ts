import type { Message } from '../alerts/message.js';
import { truncateToShare, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts } from './plain-text.js';
import { postJson } from './post-json.js';

const COLORS = { info: 0x3b82f6, warning: 0xf59e0b, critical: 0xdc2626 };
/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const MAX_TITLE_LENGTH = 256;
/** Discord allows 4096. The rest is for the separators between the parts. */
const MAX_TEXT_LENGTH = 4000;
const MAX_FIELD_LENGTH = 1024;

/** Escapes Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<:@-]/g, '\\$&');
}

const escapedLength = (text: string): number => escaped(text).length;

/** Truncates before escaping, so that no escape sequence is split. */
const escapedAndTruncated = (text: string, maxLength: number): string =>
  escaped(truncateToSize(text, maxLength, escapedLength));

/** A message as an embed. `allowed_mentions` disables all mentions. */
export function discordPayload(message: Message) {
  const { title, severity, fields, link, at } = message;
  const parts = truncateToShare(bodyParts(message), MAX_TEXT_LENGTH, escapedLength);
  const description = parts.map(escaped).join('\n\n');
  return {
    embeds: [
      {
        title: escapedAndTruncated(title, MAX_TITLE_LENGTH),
        ...(description !== '' && { description }),
        ...(link !== undefined && { url: link }),
        color: COLORS[severity],
        fields: fields.map(({ name, value }) => ({
          name,
          value: escapedAndTruncated(value, MAX_FIELD_LENGTH),
          inline: true,
        })),
        timestamp: at,
      },
    ],
    allowed_mentions: { parse: [] },
  };
}

/** Discord webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook */
export const discord = defineChannel({
  about: 'Discord, through a webhook of a channel.',
  example: 'it-discord: { type: discord, url: "${env:DISCORD_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, discordPayload(message), { signal }),
});
