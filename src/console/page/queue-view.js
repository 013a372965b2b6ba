/* global HTMLElement, location */
/** @import { LaneEstimate, QueueRow, QueueState } from '../queue-state.js' */
/** @import { SweepState } from '../sweep-state.js' */
import { callApi } from './api.js';
import { byId, element, render } from './dom.js';
import { counted, formatTime } from './format.js';

const body = byId('queue-body', HTMLElement);

/** Whether the URL of the page selects the view of the queue. */
export function isQueueView() {
  return location.hash === '#queue';
}

/**
 * Fetches what waits, and updates the view.
 *
 * @param {AbortSignal} signal
 */
export async function refreshQueue(signal) {
  const { rows, sweeps, estimates } = /** @type {QueueState} */ (await callApi('api/queue', { signal }));
  render(body, [
    list('waiting', 'Queue', 'Nothing waits.', rows.map(rowOf)),
    ...(sweeps.length === 0 ? [] : [list('sweeps', 'Sweeps', '', sweeps.map(sweepRow))]),
    ...(estimates.length === 0 ? [] : [list('estimates', 'Estimated end', '', estimates.map(estimateRow))]),
  ]);
}

/**
 * @param {string} key
 * @param {string} title
 * @param {string} emptyText
 * @param {readonly HTMLElement[]} rows
 */
function list(key, title, emptyText, rows) {
  return element(
    'section',
    { class: 'card', 'data-key': key },
    element('h2', {}, title),
    rows.length === 0
      ? element('p', { class: 'hint' }, emptyText)
      : element('ul', { class: 'plain' }, ...rows),
  );
}

/** @param {QueueRow} row */
function rowOf({ queue, lane, account, rule, reason, text, count, isEstimate, oldest }) {
  const jobs = queue === 'events' ? counted(count, 'event', 'events') : counted(count, 'run', 'runs');
  return element(
    'li',
    { 'data-key': `${queue} ${lane} ${account} ${rule ?? ''} ${reason}` },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, `${isEstimate ? 'about ' : ''}${jobs}`),
      ...(rule === undefined ? [] : [element('span', {}, rule)]),
      ...tags(account, lane),
    ),
    element('p', { class: 'hint' }, `${text} · oldest `, formatTime(oldest)),
  );
}

/** @param {SweepState} sweep */
function sweepRow({ account, rule, state, scheduledAt, evaluated, devices, emitted }) {
  const seen =
    devices === undefined
      ? counted(evaluated, 'device', 'devices')
      : `${evaluated} of about ${Math.max(devices, evaluated)} devices`;
  return element(
    'li',
    { 'data-key': `${account} ${rule}` },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, rule),
      element('span', {}, `${seen}, ${counted(emitted, 'event', 'events')}`),
      ...tags(account, 'bulk'),
    ),
    element('p', { class: 'hint' }, `${state} · scheduled `, formatTime(scheduledAt)),
  );
}

/** @param {LaneEstimate} estimate */
function estimateRow({ account, lane, jobs, calls, doneAt }) {
  return element(
    'li',
    { 'data-key': `${account} ${lane}` },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, counted(jobs, 'job', 'jobs')),
      ...tags(account, lane),
    ),
    element(
      'p',
      { class: 'hint' },
      ...(calls === undefined || doneAt === undefined
        ? ['unknown: no job of this kind has finished yet']
        : ['about ', formatTime(doneAt), ` · about ${counted(calls, 'API call', 'API calls')}`]),
    ),
  );
}

/**
 * @param {string} account
 * @param {QueueRow['lane']} lane
 */
function tags(account, lane) {
  return [
    ...(account === 'default' ? [] : [element('span', { class: 'tag' }, account)]),
    ...(lane === 'bulk' ? [element('span', { class: 'tag' }, 'bulk')] : []),
  ];
}
