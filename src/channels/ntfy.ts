import { z } from 'zod';
import type { Message } from '../alerts/message.js';
import { bytesInJson, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl, textOrEnv } from './channel.js';
import { bodyText } from './plain-text.js';
import { postJson } from './post-json.js';

const PRIORITIES = { info: 3, warning: 4, critical: 5 };
const TAGS = { info: [], warning: ['warning'], critical: ['rotating_light'] };
/** A longer message becomes an attachment, and its title and link have to fit in as well. */
const MOST_BYTES = 4000;
const LEAST_BYTES = 500;

/** A message as ntfy takes it: https://docs.ntfy.sh/publish/#publish-as-json */
export function ntfyPayload(topic: string, message: Message) {
  const { title, severity, link } = message;
  const about = {
    topic,
    title,
    priority: PRIORITIES[severity],
    tags: TAGS[severity],
    ...(link !== undefined && { click: link }),
  };
  const left = Math.max(MOST_BYTES - Buffer.byteLength(JSON.stringify(about)), LEAST_BYTES);
  return { ...about, message: truncateToSize(bodyText(message), left, bytesInJson) };
}

/** ntfy: https://docs.ntfy.sh */
export const ntfy = defineChannel({
  about: 'ntfy, on ntfy.sh or a server of your own.',
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
