import { z } from 'zod';
import type { Message } from '../alerts/message.js';
import { bytesInJson, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl, textOrEnv } from './channel.js';
import { bodyText } from './plain-text.js';
import { postJson } from './post-json.js';

const PRIORITIES = { info: 3, warning: 4, critical: 5 };
const TAGS = { info: [], warning: ['warning'], critical: ['rotating_light'] };
/** ntfy turns longer messages, title and link included, into attachments. */
const MAX_BYTES = 4000;
const MIN_BYTES = 500;

/** A message for ntfy: https://docs.ntfy.sh/publish/#publish-as-json */
export function ntfyPayload(topic: string, message: Message) {
  const { title, severity, link } = message;
  const envelope = {
    topic,
    title,
    priority: PRIORITIES[severity],
    tags: TAGS[severity],
    ...(link !== undefined && { click: link }),
  };
  const left = Math.max(MAX_BYTES - Buffer.byteLength(JSON.stringify(envelope)), MIN_BYTES);
  return { ...envelope, message: truncateToSize(bodyText(message), left, bytesInJson) };
}

/** ntfy: https://docs.ntfy.sh */
export const ntfy = defineChannel({
  about: 'ntfy, on ntfy.sh or your own server.',
  example: 'on-call: { type: ntfy, topic: "${env:NTFY_TOPIC}" }',
  settings: {
    server: serviceUrl.default('https://ntfy.sh'),
    topic: textOrEnv(
      z.string().regex(/^[-_A-Za-z0-9]{1,64}$/),
      'expected letters, digits, - and _ (at most 64)',
    ),
    token: secretText.optional(),
  },
  send: ({ server, topic, token }, message, signal) =>
    postJson(server, ntfyPayload(topic, message), {
      signal,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    }),
});
