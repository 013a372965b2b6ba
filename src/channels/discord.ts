import type { Message } from '../alerts/message.js';
import { truncateToSize } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { postJson } from './post-json.js';

const RESOLVED_COLOR = 0x16a34a;
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
  const { title, severity, status, fields, link, action, at } = message;
  const parts = fittingParts(message, { maxSize: MAX_TEXT_LENGTH, sizeOf: escapedLength });
  const description = parts.map(escaped).join('\n\n');
  return {
    // A webhook has no buttons. The address is percent-encoded, so it is a link as it is.
    ...(action !== undefined && { content: `${escaped(action.label)}: <${action.url}>` }),
    embeds: [
      {
        title: escapedAndTruncated(title, MAX_TITLE_LENGTH),
        ...(description !== '' && { description }),
        ...(link !== undefined && { url: link }),
        color: status === 'resolved' ? RESOLVED_COLOR : COLORS[severity],
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
  send: ({ url }, message, { signal }) => postJson(url, discordPayload(message), { signal }),
});
