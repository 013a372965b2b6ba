/** @import { AlertTrace, EventStatus, EventSummary, FactTrace, RuleTrace, RunTrace } from '../../journal/trace.js' */
/** @import { StepRecord } from '../../queues/jobs.js' */
import { element } from './dom.js';

/**
 * How a state reads: its word, its mark for those who do not see the colour, its colour.
 *
 * @typedef {{ word: string, mark: string, tone: 'good' | 'bad' | 'wait' | 'busy' | 'quiet' }} Wording
 */

/** @type {Record<EventStatus, Wording>} */
const EVENT_STATUS = {
  queued: { word: 'queued', mark: '…', tone: 'busy' },
  processing: { word: 'processing', mark: '…', tone: 'busy' },
  waiting: { word: 'waiting', mark: '…', tone: 'wait' },
  completed: { word: 'completed', mark: '✔', tone: 'good' },
  failed: { word: 'failed', mark: '✘', tone: 'bad' },
  no_match: { word: 'no rule matched', mark: '·', tone: 'quiet' },
};

/** @type {Wording} */
const OWN_ACTION = { word: 'passed by: our own action', mark: '–', tone: 'quiet' };

/**
 * Where an event stands. That no rule took what a step of ours brought about is as it should be.
 *
 * @param {Pick<EventSummary, 'status' | 'ownAction'>} event
 */
export function eventStatusWord({ status, ownAction }) {
  return stateWord({ ...EVENT_STATUS, ...(ownAction === true && { no_match: OWN_ACTION }) }, status);
}

/**
 * What became of a rule.
 *
 * @param {Pick<RuleTrace, 'verdict' | 'ownAction'>} decision
 */
export function verdictWord({ verdict, ownAction }) {
  const passedBy = { ...OWN_ACTION, word: 'passed by' };
  return stateWord({ ...VERDICT, ...(ownAction === true && { not_matched: passedBy }) }, verdict);
}

/** @type {Record<FactTrace['status'], Wording>} */
export const FACT_STATUS = {
  found: { word: 'found', mark: '✔', tone: 'good' },
  missing: { word: 'no such thing', mark: '·', tone: 'wait' },
  failed: { word: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<RuleTrace['verdict'], Wording>} */
const VERDICT = {
  matched: { word: 'matched', mark: '✔', tone: 'good' },
  not_matched: { word: 'no match', mark: '·', tone: 'quiet' },
  error: { word: 'error', mark: '✘', tone: 'bad' },
  waiting: { word: 'waiting', mark: '…', tone: 'wait' },
  disabled: { word: 'disabled', mark: '–', tone: 'quiet' },
};

/** @type {Record<RunTrace['status'], Wording>} */
export const RUN_STATUS = {
  queued: { word: 'queued', mark: '…', tone: 'busy' },
  running: { word: 'running', mark: '…', tone: 'busy' },
  waiting: { word: 'waiting', mark: '…', tone: 'wait' },
  completed: { word: 'completed', mark: '✔', tone: 'good' },
  failed: { word: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<StepRecord['status'] | 'not_reached', Wording>} */
const STEP_STATUS = {
  not_reached: { word: 'not reached', mark: '–', tone: 'quiet' },
  pending: { word: 'not yet', mark: '–', tone: 'quiet' },
  running: { word: 'running', mark: '…', tone: 'busy' },
  waiting: { word: 'waiting', mark: '…', tone: 'wait' },
  retrying: { word: 'tried again later', mark: '…', tone: 'wait' },
  completed: { word: 'done', mark: '✔', tone: 'good' },
  skipped: { word: 'skipped', mark: '–', tone: 'quiet' },
  failed: { word: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<AlertTrace['status'], Wording>} */
export const ALERT_STATUS = {
  queued: { word: 'waiting', mark: '…', tone: 'wait' },
  counted: { word: 'counted', mark: '+', tone: 'quiet' },
  sent: { word: 'sent', mark: '✔', tone: 'good' },
  repeated: { word: 'told before', mark: '–', tone: 'quiet' },
  silenced: { word: 'silenced', mark: '–', tone: 'quiet' },
  failed: { word: 'not delivered', mark: '✘', tone: 'bad' },
};

/**
 * How a step stands. Behind a step that failed the run ends: what is left is not reached.
 *
 * @param {StepRecord['status']} status
 * @param {RunTrace['status']} run
 */
export function stepStatusWord(status, run) {
  const left = run === 'failed' && status === 'pending';
  return stateWord(STEP_STATUS, left ? 'not_reached' : status);
}

/**
 * A state as a coloured word. A newer service may say one that this page does not know: it is shown as it is.
 *
 * @param {Readonly<Record<string, Wording>>} wordings
 * @param {string} state
 */
export function stateWord(wordings, state) {
  const known = Object.hasOwn(wordings, state) ? wordings[state] : undefined;
  const { word, mark, tone } = known ?? { word: state, mark: '·', tone: 'quiet' };
  return element(
    'span',
    { class: 'state', 'data-tone': tone },
    element('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    word,
  );
}

/** @type {Intl.DateTimeFormatOptions} */
const DAY_AND_CLOCK = {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
};
const thisYear = new Intl.DateTimeFormat(undefined, DAY_AND_CLOCK);
const otherYear = new Intl.DateTimeFormat(undefined, { ...DAY_AND_CLOCK, year: 'numeric' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'long' });

/**
 * A time in the reader's zone, with its day and the zone, so that it can be passed on; the year when it is another one.
 *
 * @param {string} iso
 */
export function timeWord(iso) {
  const time = new Date(iso);
  // Not ours to check here: what cannot be read is shown as it came.
  if (Number.isNaN(time.getTime())) return element('span', {}, iso);
  const format = time.getFullYear() === new Date().getFullYear() ? thisYear : otherYear;
  return element('time', { datetime: iso, title: whole.format(time) }, format.format(time));
}

/**
 * The type of an event, which breaks at its dots where it is too long for its line.
 *
 * @param {string} type
 * @returns {(Node | string)[]}
 */
export function typeWord(type) {
  const [first = '', ...others] = type.split('.');
  return [first, ...others.flatMap((part) => ['.', element('wbr', {}), part])];
}

/**
 * A number of things.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * Any value of a trace as text.
 *
 * @param {unknown} value
 */
export function textOf(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value, undefined, 2) ?? '–');
}

/**
 * The device that an event is about, as the command line names it: its serial number, else its id.
 *
 * @param {Readonly<Record<string, unknown>>} data
 */
export function deviceWord(data) {
  const device = data['device'];
  if (typeof device !== 'object' || device === null) return undefined;
  if ('serial_number' in device && typeof device.serial_number === 'string' && device.serial_number !== '')
    return device.serial_number;
  return 'id' in device && typeof device.id === 'number' ? `#${device.id}` : undefined;
}
