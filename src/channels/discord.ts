import type { Message } from '../alerts/message.js';
import { truncateToShare, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts } from './plain-text.js';
import { postJson } from './post-json.js';

const COLOURS = { info: 0x3b82f6, warning: 0xf59e0b, critical: 0xdc2626 };
/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const LONGEST_TITLE = 256;
/** Of 4096; the rest is for the space between its parts. */
const LONGEST_TEXT = 4000;
const LONGEST_FIELD = 1024;

/** Plain text in Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<:@-]/g, '\\$&');
}

const escapedLength = (text: string): number => escaped(text).length;

/** Cut before it is escaped: half an escape would show. */
const fitted = (text: string, most: number): string => escaped(truncateToSize(text, most, escapedLength));

/** A message as an embed; nobody is mentioned, whatever stands in it. */
export function discordPayload(message: Message) {
  const { title, severity, fields, link, at } = message;
  const parts = truncateToShare(bodyParts(message), LONGEST_TEXT, escapedLength);
  const description = parts.map(escaped).join('\n\n');
  return {
    embeds: [
      {
        title: fitted(title, LONGEST_TITLE),
        ...(description !== '' && { description }),
        ...(link !== undefined && { url: link }),
        color: COLOURS[severity],
        fields: fields.map(({ name, value }) => ({
          name,
          value: fitted(value, LONGEST_FIELD),
          inline: true,
        })),
        timestamp: at,
      },
    ],
    allowed_mentions: { parse: [] },
  };
}

/** Discord, by a webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook */
export const discord = defineChannel({
  about: 'Discord, by a webhook of a channel.',
  example: 'it-discord: { type: discord, url: "${env:DISCORD_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, discordPayload(message), { signal }),
});
