/** @import { AlertTrace, EventStatus, EventSummary, FactTrace, RuleTrace, RunTrace } from '../../journal/trace.js' */
/** @import { StepRecord } from '../../queues/jobs.js' */
import { element } from './dom.js';

/**
 * The label of a status. The mark tells statuses apart without color.
 *
 * @typedef {{ text: string, mark: string, tone: 'good' | 'bad' | 'wait' | 'busy' | 'quiet' }} Label
 */

/** @type {Record<EventStatus, Label>} */
const EVENT_STATUS = {
  queued: { text: 'queued', mark: '…', tone: 'busy' },
  processing: { text: 'processing', mark: '…', tone: 'busy' },
  waiting: { text: 'waiting', mark: '…', tone: 'wait' },
  completed: { text: 'completed', mark: '✔', tone: 'good' },
  failed: { text: 'failed', mark: '✘', tone: 'bad' },
  no_match: { text: 'no rule matched', mark: '·', tone: 'quiet' },
};

/** @type {Label} */
const OWN_ACTION = { text: 'ignored: own action', mark: '–', tone: 'quiet' };

/**
 * The status of an event. For an event that a step of the service caused, "no rule matched" would be misleading.
 *
 * @param {Pick<EventSummary, 'status' | 'ownAction'>} event
 */
export function eventStatusLabel({ status, ownAction }) {
  return statusLabel({ ...EVENT_STATUS, ...(ownAction === true && { no_match: OWN_ACTION }) }, status);
}

/**
 * The verdict of a rule.
 *
 * @param {Pick<RuleTrace, 'verdict' | 'ownAction'>} decision
 */
export function verdictLabel({ verdict, ownAction }) {
  const ignored = { ...OWN_ACTION, text: 'ignored' };
  return statusLabel({ ...VERDICT, ...(ownAction === true && { not_matched: ignored }) }, verdict);
}

/** @type {Record<FactTrace['status'], Label>} */
export const FACT_STATUS = {
  found: { text: 'found', mark: '✔', tone: 'good' },
  missing: { text: 'missing', mark: '·', tone: 'wait' },
  failed: { text: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<RuleTrace['verdict'], Label>} */
const VERDICT = {
  matched: { text: 'matched', mark: '✔', tone: 'good' },
  cleared: { text: 'cleared', mark: '✔', tone: 'good' },
  not_matched: { text: 'no match', mark: '·', tone: 'quiet' },
  error: { text: 'error', mark: '✘', tone: 'bad' },
  waiting: { text: 'waiting', mark: '…', tone: 'wait' },
  disabled: { text: 'disabled', mark: '–', tone: 'quiet' },
};

/** @type {Record<RunTrace['status'], Label>} */
export const RUN_STATUS = {
  queued: { text: 'queued', mark: '…', tone: 'busy' },
  running: { text: 'running', mark: '…', tone: 'busy' },
  waiting: { text: 'waiting', mark: '…', tone: 'wait' },
  completed: { text: 'completed', mark: '✔', tone: 'good' },
  failed: { text: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<StepRecord['status'] | 'not_reached', Label>} */
const STEP_STATUS = {
  not_reached: { text: 'not reached', mark: '–', tone: 'quiet' },
  pending: { text: 'pending', mark: '–', tone: 'quiet' },
  running: { text: 'running', mark: '…', tone: 'busy' },
  waiting: { text: 'waiting', mark: '…', tone: 'wait' },
  retrying: { text: 'retrying', mark: '…', tone: 'wait' },
  completed: { text: 'completed', mark: '✔', tone: 'good' },
  skipped: { text: 'skipped', mark: '–', tone: 'quiet' },
  failed: { text: 'failed', mark: '✘', tone: 'bad' },
};

/** @type {Record<AlertTrace['status'], Label>} */
export const ALERT_STATUS = {
  queued: { text: 'queued', mark: '…', tone: 'wait' },
  counted: { text: 'counted', mark: '+', tone: 'quiet' },
  sent: { text: 'sent', mark: '✔', tone: 'good' },
  repeated: { text: 'repeated', mark: '–', tone: 'quiet' },
  silenced: { text: 'silenced', mark: '–', tone: 'quiet' },
  skipped: { text: 'skipped', mark: '–', tone: 'quiet' },
  failed: { text: 'not delivered', mark: '✘', tone: 'bad' },
};

/**
 * The status of a step. A run ends at a failed step, so the steps behind it are not reached.
 *
 * @param {StepRecord['status']} status
 * @param {RunTrace['status']} run
 */
export function stepStatusLabel(status, run) {
  const notReached = run === 'failed' && status === 'pending';
  return statusLabel(STEP_STATUS, notReached ? 'not_reached' : status);
}

/**
 * A status as a colored label. An unknown status of a newer service is shown unchanged.
 *
 * @param {Readonly<Record<string, Label>>} labels
 * @param {string} status
 */
export function statusLabel(labels, status) {
  const known = Object.hasOwn(labels, status) ? labels[status] : undefined;
  const { text, mark, tone } = known ?? { text: status, mark: '·', tone: 'quiet' };
  return element(
    'span',
    { class: 'state', 'data-tone': tone },
    element('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    text,
  );
}
