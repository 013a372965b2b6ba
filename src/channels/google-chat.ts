import type { Message } from '../alerts/message.js';
import { hashOfKey } from '../alerts/dedup-key.js';
import { bytesInJson } from '../alerts/display-text.js';
import { z } from 'zod';
import { defineChannel, webhookUrl } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';
import { escapeHtml } from './escape-html.js';

/** Google Chat allows 32 KB. The rest is for the title, the fields and the card itself. */
const MAX_BYTES = 24_000;

const button = (text: string, url: string) => ({ text, onClick: { openLink: { url } } });
const inCard = (text: string): string => escapeHtml(text).replace(/\n/g, '<br>');
const bytesInCard = (text: string): number => bytesInJson(inCard(text));

/** A message as a card. Paragraphs support some HTML, so all content is escaped. */
export function googleChatPayload(message: Message) {
  const { id, title, severity, status, fields, link, action } = message;
  const buttons = [
    ...(action === undefined ? [] : [button(action.label, action.url)]),
    ...(link === undefined ? [] : [button('Open in mdm-reflex', link)]),
  ];
  const mark = status === 'resolved' ? 'RESOLVED' : severity === 'info' ? '' : severity.toUpperCase();
  const widgets = [
    ...fittingParts(message, { maxSize: MAX_BYTES, sizeOf: bytesInCard }).map((text) => ({
      textParagraph: { text: inCard(text) },
    })),
    ...(buttons.length > 0 ? [{ buttonList: { buttons } }] : []),
  ];
  return {
    cardsV2: [
      {
        cardId: id,
        card: {
          header: {
            title,
            subtitle: [mark, fieldLine(fields)].filter((part) => part !== '').join('  ·  '),
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
  settings: {
    url: webhookUrl,
    /** Puts the messages about one problem into one thread. Replies in a thread notify only those who follow it. */
    threads: z.boolean('expected true or false').default(false),
  },
  send: ({ url, threads }, message, { signal }) => {
    const payload = googleChatPayload(message);
    if (!threads || message.key === undefined) return postJson(url, payload, { signal });
    return postJson(inThread(url), { ...payload, thread: { threadKey: hashOfKey(message.key) } }, { signal });
  },
});

/** Without this parameter, Google Chat ignores the thread. */
function inThread(url: string): string {
  const target = new URL(url);
  target.searchParams.set('messageReplyOption', 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
  return target.href;
}
