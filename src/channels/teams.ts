import type { Message } from '../alerts/message.js';
import { bytesInJson } from '../alerts/display-text.js';
import { defineChannel, webhookUrl } from './channel.js';
import { fittingParts } from './fit-texts.js';
import { fieldLine } from './plain-text.js';
import { postJson } from './post-json.js';

const COLORS = { info: 'Default', warning: 'Warning', critical: 'Attention' };
/** Teams workflows allow 28 KB. The rest is for the title, the fields and the card itself. */
const MAX_BYTES = 20_000;

/** A `TextBlock` renders Markdown, so a device name could become a link. A `TextRun` renders plain text. */
const richText = (text: string, style: Readonly<Record<string, unknown>> = {}) => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', text, ...style }],
});

/** A message as an Adaptive Card in the envelope that a Workflows webhook expects. */
export function teamsPayload(message: Message) {
  const { title, severity, status, fields, link, action } = message;
  const texts = fittingParts(message, { maxSize: MAX_BYTES, sizeOf: bytesInJson });
  const color = status === 'resolved' ? 'Good' : COLORS[severity];
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
            richText(title, { size: 'Medium', weight: 'Bolder', color }),
            ...texts.map((part) => richText(part)),
            ...(fields.length > 0 ? [richText(fieldLine(fields), { isSubtle: true, size: 'Small' })] : []),
          ],
          actions: [
            ...(action === undefined
              ? []
              : [{ type: 'Action.OpenUrl', title: action.label, url: action.url, style: 'positive' }]),
            ...(link === undefined
              ? []
              : [{ type: 'Action.OpenUrl', title: 'Open in mdm-reflex', url: link }]),
          ],
        },
      },
    ],
  };
}

/** Microsoft Teams Workflows webhook: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors */
export const teams = defineChannel({
  about:
    'Microsoft Teams, through a webhook of the Workflows app ("Post to a channel when a webhook request is received").',
  example: 'it-teams: { type: teams, url: "${env:TEAMS_URL}" }',
  settings: { url: webhookUrl },
  send: ({ url }, message, { signal }) => postJson(url, teamsPayload(message), { signal }),
});
