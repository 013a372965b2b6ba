import { createHash } from 'node:crypto';
import { displayLine, displayText, displayTime } from '../alerts/display-text.js';
import { escapeHtml } from '../channels/escape-html.js';
import type { Approval, ApprovalDecision, ApprovalRequest } from '../coordination/approvals.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 36rem; padding: 0 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
label { display: block; margin: 1rem 0; }
input { font: inherit; display: block; width: 100%; box-sizing: border-box; padding: .5rem; }
button { font: inherit; padding: .6rem 1.4rem; margin-right: 1rem; cursor: pointer; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #16181c; } }
`;

/** Longer names are cut: a person must see the rest of the page. */
const MAX_NAME_LENGTH = 200;

/** The style of the page for its content security policy: no other style is allowed. */
export const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** The page of a link: what will be done, and the two answers. Everything in it is escaped: users name devices. */
export function approvalPage({ request, decision }: Approval, now: number): string {
  const isOver = now >= Date.parse(request.expiresAt);
  const answered = decision ?? (isOver ? { answer: 'expired' as const, at: request.expiresAt } : undefined);
  return page('Approval', [
    `<h1>${answered === undefined ? 'Approve these steps?' : escapeHtml(decisionText(answered))}</h1>`,
    details(request),
    answered === undefined ? form(request) : '<p>This link has no further use.</p>',
  ]);
}

/** The page after an answer. */
export function answeredPage(request: ApprovalRequest, decision: ApprovalDecision, isNew: boolean): string {
  const before = isNew ? '' : '<p>Somebody else was faster, or the time was over. This answer counts:</p>';
  return page('Approval', [`<h1>${escapeHtml(decisionText(decision))}</h1>`, before, details(request)]);
}

/** The page for a link that leads nowhere. */
export function unknownLinkPage(): string {
  return page('Unknown link', [
    '<h1>This link is not valid</h1>',
    '<p>It was copied in part, or it is too old. <code>mdm-reflex approvals list</code> and the console show what waits for an approval.</p>',
  ]);
}

function decisionText({ answer, by, at }: ApprovalDecision): string {
  const who = by === undefined ? '' : ` by ${by}`;
  switch (answer) {
    case 'approved':
      return `Approved${who} at ${utc(at)}`;
    case 'rejected':
      return `Rejected${who} at ${utc(at)}`;
    case 'expired':
      return `Nobody decided until ${utc(at)}`;
    case 'withdrawn':
      return `No longer needed: the run ended at ${utc(at)}`;
  }
}

function details({
  rule,
  description,
  device,
  account,
  event,
  steps,
  requestedAt,
  expiresAt,
}: ApprovalRequest): string {
  const fields: [string, string][] = [
    // Apart: a user could name a device "Kiosk, serial number C02…".
    ...present('Device', displayLine(device?.name ?? '', MAX_NAME_LENGTH)),
    ...present('Serial number', device?.serialNumber),
    ...present('Device id', device?.id?.toString()),
    ['Rule', description === undefined ? rule : `${rule}: ${description}`],
    ['Event', `${event.type} (${event.id.slice(0, 12)})`],
    ['Account', account],
    ['Asked', utc(requestedAt)],
    ['Open until', utc(expiresAt)],
  ];
  const list = steps
    .map(({ action, args }) => `<li><code>${escapeHtml(action)}</code> ${escapeHtml(displayText(args))}</li>`)
    .join('');
  return `<ol>${list}</ol><dl>${fields
    .map(([term, text]) => `<dt>${escapeHtml(term)}</dt><dd>${escapeHtml(displayText(text))}</dd>`)
    .join('')}</dl>`;
}

/** An ISO 8601 time in UTC, as people read it. */
function utc(time: string): string {
  return `${displayTime(time)} UTC`;
}

function present(term: string, text: string | undefined): [string, string][] {
  return text === undefined || text === '' ? [] : [[term, text]];
}

/** Posts to the address of the page itself, whatever path prefix a proxy adds. */
function form({ onTimeout, expiresAt }: ApprovalRequest): string {
  const otherwise = onTimeout === 'drop' ? 'do not run' : 'run';
  return `<form method="post">
<label>Your name, for the trace (optional)<input name="name" maxlength="80" autocomplete="name"></label>
<p><button name="answer" value="approved">Approve</button><button name="answer" value="rejected">Reject</button></p>
<p>Without an answer until ${escapeHtml(utc(expiresAt))}, the steps ${otherwise}.</p>
</form>`;
}

function page(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${title} - mdm-reflex</title><style>${STYLE}</style></head>
<body><main>${parts.join('\n')}</main></body>
</html>
`;
}
