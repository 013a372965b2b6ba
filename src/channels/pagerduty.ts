import type { Message } from '../alerts/message.js';
import { bytesInJson, truncate } from '../alerts/display-text.js';
import { defineChannel, secretText, serviceUrl } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { postJson } from './post-json.js';

/** https://developer.pagerduty.com/docs/send-alert-event */
const MAX_SUMMARY_LENGTH = 1024;
/** PagerDuty allows 512 KB, but a person on call reads only the beginning. */
const MAX_BYTES = 20_000;

/**
 * A message as an event that triggers or resolves an incident. The same `dedup_key` reaches the same incident: PagerDuty adds a trigger
 * to an open incident, and ignores the resolve of a key without one.
 */
export function pagerDutyPayload(routingKey: string, message: Message) {
  const { id, key = id, title, severity, status, fields, link, action, at, count } = message;
  if (status === 'resolved') return { routing_key: routingKey, event_action: 'resolve', dedup_key: key };
  const text = fittingParts(message, { maxSize: MAX_BYTES, sizeOf: bytesInJson }).join('\n\n');
  const links = [
    ...(action === undefined ? [] : [{ href: action.url, text: action.label }]),
    ...(link === undefined ? [] : [{ href: link, text: 'Open in mdm-reflex' }]),
  ];
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: key,
    payload: {
      summary: truncate(title, MAX_SUMMARY_LENGTH),
      source: 'mdm-reflex',
      severity,
      timestamp: at,
      custom_details: {
        text,
        count,
        ...Object.fromEntries(fields.map(({ name, value }) => [name.toLowerCase(), value])),
      },
    },
    ...(links.length > 0 && { links }),
  };
}

/** PagerDuty, Events API v2. */
export const pagerDuty = defineChannel({
  about:
    'PagerDuty, through the Events API v2. Each dedup key is an incident of its own, so `group_by` has no effect.',
  example: 'pager: { type: pagerduty, routing_key: "${env:PAGERDUTY_KEY}" }',
  settings: {
    routing_key: secretText,
    url: serviceUrl.default('https://events.pagerduty.com/v2/enqueue'),
  },
  perKey: true,
  send: ({ url, routing_key: key }, message, { signal }) =>
    postJson(url, pagerDutyPayload(key, message), { signal }),
});
