import { z } from 'zod';
import { fairShares, truncateToSize } from '../alerts/display-text.js';
import type { Message } from '../alerts/message.js';
import { signedHeaders, signingSecret } from '../config/standard-webhooks.js';
import { defineChannel, textOrEnv, webhookUrl } from './channel.js';
import { postJson } from './post-json.js';

/** The number of alerts that a body lists, and the length of their texts together. */
const MAX_ALERTS = 1000;
const MAX_TEXTS_LENGTH = 50_000;

/** A message as the body of a webhook. */
export function webhookPayload(message: Message) {
  const { id, at, title, text, severity, count, fields, sections, moreGroups, link, action, key, status } =
    message;
  const alerts = message.alerts.slice(0, MAX_ALERTS);
  const shares = fairShares(
    alerts.map((alert) => alert.text.length),
    MAX_TEXTS_LENGTH,
  );
  return {
    type: 'mdm-reflex.alert',
    timestamp: at,
    data: {
      id,
      title,
      text,
      severity,
      status,
      dedup_key: key ?? null,
      count,
      fields: Object.fromEntries(fields.map(({ name, value }) => [name.toLowerCase(), value])),
      sections: sections.map(({ heading, items, more }) => ({
        heading: heading ?? null,
        items: items.map((item) => item.title),
        more,
      })),
      more_groups: moreGroups,
      link: link ?? null,
      action: action ?? null,
      alerts: alerts.map((alert, index) => ({
        dedup_key: alert.key ?? null,
        status: alert.status,
        title: alert.title,
        text: truncateToSize(alert.text, shares[index] ?? 0, (part) => part.length),
        severity: alert.severity,
        device: { id: alert.device.id ?? null, name: alert.device.name ?? null },
        at: alert.at,
      })),
      more_alerts: count - alerts.length,
    },
  };
}

/** Any service that accepts a POST, optionally signed with Standard Webhooks: https://www.standardwebhooks.com */
export const webhook = defineChannel({
  about:
    'Any service that accepts a JSON POST. With a `secret`, requests are signed with Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`).',
  example:
    'ticket-system: { type: webhook, url: https://tickets.example.org/hook, secret: "${env:HOOK_SECRET}" }',
  settings: {
    url: webhookUrl,
    secret: textOrEnv(signingSecret, 'expected a secret in base64, with or without "whsec_"').optional(),
    headers: z
      .record(z.string(), z.string('expected a text'), 'expected a map of header names to values')
      .optional(),
  },
  send: ({ url, secret, headers = {} }, message, { signal }) => {
    const body = JSON.stringify(webhookPayload(message));
    const signature = secret === undefined ? {} : signedHeaders(secret, message.id, new Date(), body);
    return postJson(url, body, { signal, headers: { ...headers, ...signature } });
  },
});
