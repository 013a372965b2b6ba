import { deviceReferenceOf } from '../events/webhook-types.js';
import type { EventStatus, EventSummary } from '../journal/trace.js';
import { columns, escapeControlCharacters } from './terminal.js';
import type { Paint } from './terminal.js';

/** How many characters of an id are shown; `events show` takes them. */
export const SHORT_ID = 12;

const COLOURS: Readonly<Record<EventStatus, Parameters<Paint>[0]>> = {
  queued: 'cyan',
  processing: 'cyan',
  waiting: 'yellow',
  completed: 'green',
  failed: 'red',
  no_match: 'gray',
};

/** The status of an event in its colour, with words for a person. */
export function statusText(
  { status, ownAction }: Pick<EventSummary, 'status' | 'ownAction'>,
  paint: Paint,
): string {
  if (status !== 'no_match') return paint(COLOURS[status], status);
  return paint(COLOURS[status], ownAction === true ? 'passed by: our own action' : 'no rule matched');
}

/** A list of events, a line each. */
export function formatEvents(events: readonly EventSummary[], paint: Paint, isFiltered = false): string {
  if (events.length === 0 && isFiltered) return 'No event fits these filters.';
  if (events.length === 0)
    return 'No events. A test webhook can be sent from SimpleMDM (Settings, Webhooks).';
  const rows = events.map((event) => [
    paint('bold', event.id.slice(0, SHORT_ID)),
    event.receivedAt.slice(0, 19).replace('T', ' '),
    escapeControlCharacters(event.type),
    escapeControlCharacters(deviceReferenceOf(event)?.serialNumber ?? '-'),
    statusText(event, paint),
    escapeControlCharacters(event.reason ?? event.rules.join(', ')),
  ]);
  return columns([
    ['ID', 'RECEIVED (UTC)', 'TYPE', 'DEVICE', 'STATUS', 'RULES OR REASON'].map((title) =>
      paint('dim', title),
    ),
    ...rows,
  ]).join('\n');
}
