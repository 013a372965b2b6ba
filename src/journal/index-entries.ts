import type { Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import type { Redact } from '../telemetry/redaction.js';
import { shortId } from './trace-keys.js';
import type { ProcessingTrace, RunTrace } from './trace.js';

/** A value in the name of an index. Lines of the field `index` end at a newline, and lists in hashes at a tab. */
export function indexValue(text: string): string {
  return text.replace(/[%\n\t]/g, encodeURIComponent);
}

/** The text of {@link indexValue}. */
export function textOfIndexValue(value: string): string {
  return value.replace(/%(?:25|0A|09)/g, decodeURIComponent);
}

/**
 * A text as searches compare it: case, kinds of apostrophes and amounts of white space make no difference. Apple names devices with a
 * curly apostrophe, and people type a straight one.
 */
export function foldedText(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();
}

/** The device of an event in the names of indexes: its account, and its id (without one its serial number or UDID). */
export function deviceIndexOf({
  account,
  data,
}: {
  readonly account: string;
  readonly data: Record<string, unknown>;
}): string | undefined {
  const device = deviceReferenceOf({ data });
  if (device === undefined) return undefined;
  return `device:${account}:${indexValue(String(device.id ?? device.serialNumber ?? device.udid))}`;
}

/**
 * The values for `journal_start` (index-lua.ts).
 *
 * @returns `START_TRACE_VALUES` strings. The event is not masked: a replay uses it.
 */
export function startTraceArgs(event: Event): string[] {
  const receivedAt = Date.parse(event.receivedAt);
  const device = deviceIndexOf(event);
  const reference = deviceReferenceOf(event);
  const constant = [
    `#${receivedAt}`,
    `type:${indexValue(event.type)}`,
    `account:${indexValue(event.account)}`,
    ...(device === undefined ? [] : [device]),
  ];
  return [
    shortId(event.id),
    String(receivedAt),
    JSON.stringify(event),
    `${constant.join('\n')}\n`,
    foldedText(reference?.serialNumber ?? ''),
    foldedText(reference?.udid ?? ''),
  ];
}

/** A reason beyond this many characters is stored, but a search does not look there. */
export const SEARCHED_REASON = 1000;

/** What decides the index entries of the processing of an event, or of one of its runs. */
export type IndexPart = readonly [name: string, status: string, code: string, reason: string];

/** Of a field that decides no index entry. */
export const NO_PART: IndexPart = ['', '', '', ''];

/** Of the processing of an event. */
export function processingPart(trace: ProcessingTrace, redact: Redact): IndexPart {
  return ['p', trace.state, ...reasonAndCode(trace, redact)];
}

/** Of a run. */
export function runPart(trace: RunTrace, redact: Redact): IndexPart {
  return [`r:${trace.rule}`, trace.status, ...reasonAndCode(trace, redact)];
}

function reasonAndCode(
  { reason = '', code = '' }: Pick<RunTrace, 'reason' | 'code'>,
  redact: Redact,
): [code: string, reason: string] {
  // Masked first: a folded secret would not be recognized.
  return [indexValue(code), foldedText(redact(reason)).slice(0, SEARCHED_REASON)];
}
