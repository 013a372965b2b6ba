import type { Message } from '../alerts/message.js';
import { bytesInJson, truncate, truncateToSize } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl } from './channel.js';
import { bodyText } from './plain-text.js';
import { postJson } from './post-json.js';

/** https://developer.pagerduty.com/docs/send-alert-event */
const LONGEST_SUMMARY = 1024;
/** Whoever is woken reads the beginning; an event may have 512 KB in all. */
const MOST_BYTES = 20_000;

/** A message as an event that triggers an incident. Sent again, it is the same incident. */
export function pagerDutyPayload(routingKey: string, message: Message) {
  const { id, title, severity, fields, link, at, count } = message;
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: id,
    payload: {
      summary: truncate(title, LONGEST_SUMMARY),
      source: 'mdm-reflex',
      severity,
      timestamp: at,
      custom_details: {
        text: truncateToSize(bodyText({ ...message, fields: [] }), MOST_BYTES, bytesInJson),
        count,
        ...Object.fromEntries(fields.map(({ name, value }) => [name.toLowerCase(), value])),
      },
    },
    ...(link !== undefined && { links: [{ href: link, text: 'Open in mdm-reflex' }] }),
  };
}

/** PagerDuty, Events API v2. */
export const pagerDuty = defineChannel({
  about: 'PagerDuty, by the Events API v2.',
  example: 'pager: { type: pagerduty, routing_key: "${env:PAGERDUTY_KEY}" }',
  settings: {
    routing_key: secretText,
    url: serviceUrl.default('https://events.pagerduty.com/v2/enqueue'),
  },
  send: ({ url, routing_key: key }, message, signal) =>
    postJson(url, pagerDutyPayload(key, message), { signal }),
});
