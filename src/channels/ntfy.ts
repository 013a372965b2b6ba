import { z } from 'zod';
import type { Message } from '../alerts/message.js';
import { bytesInJson, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl, textOrEnv } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

const PRIORITIES = { info: 3, warning: 4, critical: 5 };
const TAGS = { info: [], warning: ['warning'], critical: ['rotating_light'] };
/** ntfy turns longer messages, title and link included, into attachments. */
const MAX_BYTES = 4000;
const MIN_BYTES = 500;
/** Two line breaks in JSON between each two of at most twelve parts. */
const SEPARATOR_BYTES = 12 * 4;

/** A message for ntfy: https://docs.ntfy.sh/publish/#publish-as-json */
export function ntfyPayload(topic: string, message: Message) {
  const { title, severity, status, sequence, link, action } = message;
  const envelope = {
    topic,
    title,
    priority: PRIORITIES[severity],
    tags: status === 'resolved' ? ['white_check_mark'] : TAGS[severity],
    // A message with the id of an earlier one replaces it (ntfy 2.16 or later; older servers send a new one).
    ...(sequence !== undefined && { sequence_id: sequence }),
    ...(link !== undefined && { click: link }),
    ...(action !== undefined && {
      click: action.url,
      actions: [{ action: 'view', label: action.label, url: action.url }],
    }),
  };
  const left = Math.max(MAX_BYTES - Buffer.byteLength(JSON.stringify(envelope)), MIN_BYTES);
  const fields = fieldLine(message.fields);
  const fieldBytes = bytesInJson(`\n\n${fields}`);
  const parts = [
    ...fittingParts(message, {
      maxSize: Math.max(left - fieldBytes - SEPARATOR_BYTES, 0),
      sizeOf: bytesInJson,
    }),
    fields,
  ];
  return {
    ...envelope,
    message: truncateToSize(parts.filter((part) => part !== '').join('\n\n'), left, bytesInJson),
  };
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
  send: ({ server, topic, token }, message, { signal }) =>
    postJson(server, ntfyPayload(topic, message), {
      signal,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    }),
});
