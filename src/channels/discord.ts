import type { Message } from '../alerts/message.js';
import { cut } from '../alerts/shown-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts } from './plain-text.js';
import { postJson } from './post.js';

const COLOURS = { info: 0x3b82f6, warning: 0xf59e0b, critical: 0xdc2626 };
/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const LONGEST_TITLE = 256;
const LONGEST_TEXT = 4096;
const LONGEST_FIELD = 1024;

/** Plain text in Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<:@-]/g, '\\$&');
}

/** A message as an embed; nobody is mentioned, whatever stands in it. */
export function discordPayload(message: Message) {
  const { title, severity, fields, link, at } = message;
  const description = bodyParts(message).join('\n\n');
  return {
    embeds: [
      {
        title: cut(escaped(title), LONGEST_TITLE),
        ...(description !== '' && { description: cut(escaped(description), LONGEST_TEXT) }),
        ...(link !== undefined && { url: link }),
        color: COLOURS[severity],
        fields: fields.map(({ name, value }) => ({
          name,
          value: cut(escaped(value), LONGEST_FIELD),
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
