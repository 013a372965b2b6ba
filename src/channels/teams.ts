import type { Message } from '../alerts/message.js';
import { bytesInJson, truncateToShare } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { bodyParts, fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

const COLOURS = { info: 'Default', warning: 'Warning', critical: 'Attention' };
/** A message of a workflow may have 28 KB; the rest is for the title, the fields and the card itself. */
const MOST_BYTES = 20_000;

/** A text block would read Markdown: a device's name could become a link. A run of rich text is as it is written. */
const run = (text: string, style: Readonly<Record<string, unknown>> = {}) => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', text, ...style }],
});

/** A message as an Adaptive Card in the envelope that a Workflows webhook takes. */
export function teamsPayload(message: Message) {
  const { title, severity, fields, link } = message;
  const texts = truncateToShare(bodyParts(message), MOST_BYTES, bytesInJson);
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          fallbackText: title,
          msteams: { width: 'Full' },
          body: [
            run(title, { size: 'Medium', weight: 'Bolder', color: COLOURS[severity] }),
            ...texts.map((part) => run(part)),
            ...(fields.length > 0 ? [run(fieldLine(fields), { isSubtle: true, size: 'Small' })] : []),
          ],
          actions:
            link === undefined ? [] : [{ type: 'Action.OpenUrl', title: 'Open in mdm-reflex', url: link }],
        },
      },
    ],
  };
}

/** Microsoft Teams, by a Workflows webhook: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors */
export const teams = defineChannel({
  about:
    'Microsoft Teams, by a webhook of the Workflows app ("Post to a channel when a webhook request is received").',
  example: 'it-teams: { type: teams, url: "${env:TEAMS_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, signal) => postJson(url, teamsPayload(message), { signal }),
});
