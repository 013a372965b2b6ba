import { displayTime } from '../alerts/display-text.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import type { EventStatus, EventSummary } from '../journal/trace.js';
import { columns, escapeControlCharacters, reasonText } from './terminal.js';
import type { Paint } from './terminal.js';

/** The number of characters of an id to show. `events show` accepts shortened ids. */
export const SHORT_ID = 12;

const COLORS: Readonly<Record<EventStatus, Parameters<Paint>[0]>> = {
  queued: 'cyan',
  processing: 'cyan',
  waiting: 'yellow',
  completed: 'green',
  failed: 'red',
  no_match: 'gray',
};

/** The status of an event in words and in its color. */
export function statusText(
  { status, ownAction }: Pick<EventSummary, 'status' | 'ownAction'>,
  paint: Paint,
): string {
  if (status !== 'no_match') return paint(COLORS[status], status);
  return paint(COLORS[status], ownAction === true ? 'ignored: own action' : 'no rule matched');
}

function deviceText(event: EventSummary): string {
  const device = deviceReferenceOf(event);
  if (device === undefined) return '-';
  return device.serialNumber ?? (device.id === undefined ? (device.udid ?? '-') : `#${device.id}`);
}

/** Marks a webhook that did not fit: its trace says what was odd. */
function oddMark({ warnings = [] }: EventSummary, paint: Paint): string {
  return warnings.length === 0 ? '' : paint('yellow', ' (odd)');
}

/** A list of events, one line each. */
export function formatEvents(events: readonly EventSummary[], paint: Paint, isFiltered = false): string {
  if (events.length === 0 && isFiltered) return 'No event matches these filters.';
  if (events.length === 0) return 'No events yet. Send a test webhook in SimpleMDM (Settings, Webhooks).';
  const rows = events.map((event) => [
    paint('bold', event.id.slice(0, SHORT_ID)),
    displayTime(event.receivedAt),
    escapeControlCharacters(event.type),
    escapeControlCharacters(deviceText(event)),
    statusText(event, paint) + oddMark(event, paint),
    event.reason === undefined ? escapeControlCharacters(event.rules.join(', ')) : reasonText(event),
  ]);
  return columns([
    ['ID', 'RECEIVED (UTC)', 'TYPE', 'DEVICE', 'STATUS', 'RULES OR REASON'].map((title) =>
      paint('dim', title),
    ),
    ...rows,
  ]).join('\n');
}
