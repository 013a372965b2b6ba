import type { Message } from '../alerts/message.js';
import { bytesInJson, truncateToShare } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts, fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';
import { escapeHtml } from './escape-html.js';

/** Google Chat allows 32 KB. The rest is for the title, the fields and the card itself. */
const MAX_BYTES = 24_000;

const inCard = (text: string): string => escapeHtml(text).replace(/\n/g, '<br>');
const bytesInCard = (text: string): number => bytesInJson(inCard(text));

/** A message as a card. Paragraphs support some HTML, so all content is escaped. */
export function googleChatPayload(message: Message) {
  const { id, title, severity, fields, link } = message;
  const widgets = [
    ...truncateToShare(bodyParts(message), MAX_BYTES, bytesInCard).map((text) => ({
      textParagraph: { text: inCard(text) },
    })),
    ...(link === undefined
      ? []
      : [
          { buttonList: { buttons: [{ text: 'Open in mdm-reflex', onClick: { openLink: { url: link } } }] } },
        ]),
  ];
  return {
    cardsV2: [
      {
        cardId: id,
        card: {
          header: {
            title,
            subtitle: [severity === 'info' ? '' : severity.toUpperCase(), fieldLine(fields)]
              .filter((part) => part !== '')
              .join('  ·  '),
          },
          // Google Chat rejects a section without widgets.
          sections: widgets.length === 0 ? [] : [{ widgets }],
        },
      },
    ],
  };
}

/** Google Chat webhook: https://developers.google.com/workspace/chat/quickstart/webhooks */
export const googleChat = defineChannel({
  about: 'Google Chat, through a webhook of a space.',
  example: 'it-space: { type: google_chat, url: "${env:GOOGLE_CHAT_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, googleChatPayload(message), { signal }),
});
