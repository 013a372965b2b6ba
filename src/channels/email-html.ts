import type { Message, MessageItem } from '../alerts/message.js';
import { escapeHtml } from './escape-html.js';

const RESOLVED_COLOR = '#15803d';
const COLORS = { info: '#2563eb', warning: '#b45309', critical: '#b91c1c' };
const FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/**
 * A message as HTML for e-mail. Mail programs need inline styles and a table as the frame. Works on phones and in dark mode, and
 * loads nothing.
 */
export function emailHtml({
  title,
  text,
  severity,
  fields,
  sections,
  moreGroups,
  link,
  action,
  status,
  at,
}: Message): string {
  const color = status === 'resolved' ? RESOLVED_COLOR : COLORS[severity];
  const parts = [
    action === undefined ? '' : buttonHtml(action.label, action.url, color),
    text === '' ? '' : `<p style="margin:0 0 16px;white-space:pre-line">${escapeHtml(text)}</p>`,
    ...sections.map(({ heading, text: common, items, more }) =>
      [
        heading === undefined
          ? ''
          : `<h2 style="margin:16px 0 8px;font-size:16px;line-height:1.4">${escapeHtml(heading)}</h2>`,
        common === '' ? '' : `<p style="margin:0 0 8px;white-space:pre-line">${escapeHtml(common)}</p>`,
        `<ul style="margin:0 0 8px;padding-left:20px">${items.map(itemHtml).join('')}</ul>`,
        more > 0 ? `<p class="quiet" style="margin:0 0 16px;color:#6b7280">and ${more} more</p>` : '',
      ].join(''),
    ),
    moreGroups > 0
      ? `<p class="quiet" style="margin:0 0 16px;color:#6b7280">and ${moreGroups} more ${moreGroups === 1 ? 'group' : 'groups'}</p>`
      : '',
    fields.length === 0
      ? ''
      : `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:8px 0 16px;font-size:14px">${fields
          .map(
            ({ name, value }) =>
              `<tr><td class="quiet" style="padding:2px 16px 2px 0;color:#6b7280;vertical-align:top">${escapeHtml(name)}</td><td style="padding:2px 0;word-break:break-word">${escapeHtml(value)}</td></tr>`,
          )
          .join('')}</table>`,
    link === undefined ? '' : buttonHtml('Open in mdm-reflex', link, color),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
@media (prefers-color-scheme: dark) {
  .page { background: #111827 !important; color: #f3f4f6 !important; }
  .card { background: #1f2937 !important; }
  .quiet { color: #9ca3af !important; }
}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f4f6;color:#111827">
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f4f6">
<tr><td align="center" style="padding:24px 12px">
<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border-radius:8px;border-top:4px solid ${color}">
<tr><td style="padding:24px;font-family:${FONT};font-size:16px;line-height:1.5">
<h1 style="margin:0 0 12px;font-size:20px;line-height:1.35;word-break:break-word">${escapeHtml(title)}</h1>
${parts.filter((part) => part !== '').join('\n')}
</td></tr>
</table>
<p class="quiet" style="margin:12px 0 0;font-family:${FONT};font-size:12px;color:#6b7280">mdm-reflex · ${escapeHtml(at)}</p>
</td></tr>
</table>
</body>
</html>
`;
}

const buttonHtml = (label: string, url: string, color: string): string =>
  `<p style="margin:16px 0"><a href="${escapeHtml(url)}" style="display:inline-block;padding:10px 18px;border-radius:6px;background:${color};color:#ffffff;text-decoration:none;font-weight:600">${escapeHtml(label)}</a></p>`;

function itemHtml({ title, text, link }: MessageItem): string {
  const heading = escapeHtml(title);
  const shown =
    link === undefined ? heading : `<a href="${escapeHtml(link)}" style="color:inherit">${heading}</a>`;
  const details =
    text === ''
      ? ''
      : `<div class="quiet" style="margin:2px 0 6px;color:#6b7280;font-size:14px;white-space:pre-line">${escapeHtml(text)}</div>`;
  return `<li style="margin:0 0 4px;word-break:break-word">${shown}${details}</li>`;
}
