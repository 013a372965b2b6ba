import type { Message } from '../alerts/message.js';
import { cut, defineChannel, webhookUrl } from './channel.js';
import { fieldLine, sectionText } from './plain-text.js';
import { postJson } from './post.js';
import { escapeHtml } from './html.js';

/** A message of a card may have 32 KB. */
const LONGEST = 4000;

const paragraph = (text: string) => ({
  textParagraph: { text: escapeHtml(cut(text, LONGEST)).replace(/\n/g, '<br>') },
});

/** A message as a card. Paragraphs know some HTML; nothing of it comes from outside. */
export function googleChatPayload({ id, title, text, severity, fields, sections, link }: Message) {
  const texts = [text, ...sections.map(sectionText)].filter((part) => part !== '');
  const widgets = [
    ...texts.map(paragraph),
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
          // A section without widgets is refused.
          sections: widgets.length === 0 ? [] : [{ widgets }],
        },
      },
    ],
  };
}

/** Google Chat, by a webhook: https://developers.google.com/workspace/chat/quickstart/webhooks */
export const googleChat = defineChannel({
  about: 'Google Chat, by a webhook of a space.',
  example: 'it-space: { type: google_chat, url: "${env:GOOGLE_CHAT_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, googleChatPayload(message), { signal }),
});
