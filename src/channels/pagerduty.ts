import type { Message } from '../alerts/message.js';
import { bytesInJson, truncate, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl } from './channel.js';
import { bodyText } from './plain-text.js';
import { postJson } from './post-json.js';

/** https://developer.pagerduty.com/docs/send-alert-event */
const MAX_SUMMARY_LENGTH = 1024;
/** PagerDuty allows 512 KB, but a person on call reads only the beginning. */
const MAX_BYTES = 20_000;

/** A message as an event that triggers an incident. `dedup_key` makes another attempt update the same incident. */
export function pagerDutyPayload(routingKey: string, message: Message) {
  const { id, title, severity, fields, link, at, count } = message;
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: id,
    payload: {
      summary: truncate(title, MAX_SUMMARY_LENGTH),
      source: 'mdm-reflex',
      severity,
      timestamp: at,
      custom_details: {
        text: truncateToSize(bodyText({ ...message, fields: [] }), MAX_BYTES, bytesInJson),
        count,
        ...Object.fromEntries(fields.map(({ name, value }) => [name.toLowerCase(), value])),
      },
    },
    ...(link !== undefined && { links: [{ href: link, text: 'Open in mdm-reflex' }] }),
  };
}

/** PagerDuty, Events API v2. */
export const pagerDuty = defineChannel({
  about: 'PagerDuty, through the Events API v2.',
  example: 'pager: { type: pagerduty, routing_key: "${env:PAGERDUTY_KEY}" }',
  settings: {
    routing_key: secretText,
    url: serviceUrl.default('https://events.pagerduty.com/v2/enqueue'),
  },
  send: ({ url, routing_key: key }, message, signal) =>
    postJson(url, pagerDutyPayload(key, message), { signal }),
});
