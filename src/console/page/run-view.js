/** @import { RunTrace, Trace } from '../../journal/trace.js' */
/** @import { ApprovalRecord, AttemptRecord, StepRecord } from '../../queues/jobs.js' */
/** @import { ApiCall } from '../../http/api-call.js' */
import { collapsedList, element } from './dom.js';
import { counted, formatReason, formatTime, formatValue } from './format.js';
import { RUN_STATUS, statusLabel, stepStatusLabel } from './status-labels.js';

/**
 * A run of an event, step by step.
 *
 * @param {RunTrace} run
 * @param {Pick<Trace, 'id' | 'alerts'>} trace
 */
export function runSection(run, { id, alerts }) {
  const { rule, status, plannedAt, finishedAt, reason, code, steps, clears, approvals = [] } = run;
  /** The id of an alert contains the step that dispatched it. @param {string} position */
  const channelsOf = (position) =>
    alerts.flatMap((alert) =>
      // A step that a replay restarted has the number of the replay as a suffix.
      alert.id.replace(/\.r\d+$/, '') === `${id}.${rule}.${position}` ? [alert.channel] : [],
    );
  // The failed step shows the same reason. Once is enough on a phone.
  const isShownBelow = steps.some((step) => step.reason !== undefined && reason?.endsWith(step.reason));
  return element(
    'section',
    { 'data-key': `run ${rule}` },
    element('h3', {}, 'Run of ', element('strong', {}, rule), ...(clears === true ? [' (on_clear)'] : [])),
    element(
      'p',
      { class: 'line' },
      statusLabel(RUN_STATUS, status),
      element(
        'span',
        { class: 'hint' },
        'planned ',
        formatTime(plannedAt),
        ...(finishedAt === undefined ? [] : [', finished ', formatTime(finishedAt)]),
      ),
    ),
    ...(reason === undefined || isShownBelow
      ? []
      : [element('p', { class: status === 'failed' ? 'error' : 'reason' }, ...formatReason(reason, code))]),
    ...approvals.map(approvalLine),
    element(
      'ol',
      { class: 'steps' },
      ...steps.map((step, index) => stepRow(step, index, status, channelsOf)),
    ),
  );
}

/**
 * Who was asked for what, and the answer.
 *
 * @param {ApprovalRecord} approval
 */
function approvalLine({ place, answer, by, via, address, at, expiresAt }) {
  const what = place === 'run' ? 'the run' : `step ${Number(place) + 1}`;
  const who = [by, via, address].filter((part) => part !== undefined).join(', ');
  return element(
    'p',
    { class: 'hint' },
    ...(answer === undefined
      ? [`approval of ${what}: open until `, formatTime(expiresAt)]
      : [
          `approval of ${what}: ${answer}${who === '' ? '' : ` (${who})`} `,
          ...(at === undefined ? [] : [formatTime(at)]),
        ]),
  );
}

/**
 * @param {StepRecord} step
 * @param {number} index
 * @param {RunTrace['status']} run
 * @param {(position: string) => readonly string[]} channelsOf
 */
function stepRow(step, index, run, channelsOf) {
  const { items = [], itemRecords = [], ...summary } = step;
  if (step.itemRecords === undefined) return attemptRow(step, `step ${index}`, run, channelsOf(`${index}`));
  // The results follow, item by item.
  const row = attemptRow({ ...summary, output: undefined }, `step ${index}`, run, []);
  row.append(
    element('p', { class: 'hint' }, `for ${counted(itemRecords.length, 'item', 'items')}`),
    collapsedList(
      'ol',
      { class: 'steps' },
      itemRecords.map((attempt, itemIndex) => {
        const key = `step ${index} item ${itemIndex}`;
        const channels = channelsOf(`${index}.${itemIndex}`);
        return attemptRow(attempt, key, run, channels, itemLabel(items[itemIndex]));
      }),
    ),
  );
  return row;
}

/**
 * The name of an item.
 *
 * @param {unknown} item
 */
function itemLabel(item) {
  if (typeof item !== 'object' || item === null) return item === undefined ? undefined : String(item);
  const named = /** @type {Readonly<Record<string, unknown>>} */ (item);
  return formatValue(named['name'] ?? named['id'] ?? item);
}

/**
 * @param {Omit<AttemptRecord, 'output'> & { output?: AttemptRecord['output'] | undefined }} step
 * @param {string} key
 * @param {RunTrace['status']} run
 * @param {readonly string[]} channels
 * @param {string} [item]
 */
function attemptRow(step, key, run, channels, item) {
  const { action, id, status, reason, code, nextAttemptAt, inDoubtSince, output, calls } = step;
  return element(
    'li',
    { 'data-key': key },
    element(
      'p',
      { class: 'line' },
      stepStatusLabel(status, run),
      element('strong', {}, item ?? action),
      ...(channels.length === 0 ? [] : [element('span', {}, `to ${channels.join(', ')}`)]),
      element(
        'span',
        { class: 'hint' },
        ...timing(step, item !== undefined),
        id === undefined ? '' : ` · output in steps.${id}`,
      ),
    ),
    ...(reason === undefined
      ? []
      : [element('p', { class: reasonClass(status) }, ...formatReason(reason, code))]),
    ...(nextAttemptAt === undefined
      ? []
      : [element('p', { class: 'hint' }, 'next attempt at ', formatTime(nextAttemptAt))]),
    ...(inDoubtSince === undefined
      ? []
      : [
          element(
            'p',
            { class: 'hint' },
            'the outcome of the attempt at ',
            formatTime(inDoubtSince),
            ' is not known; it is checked before the next attempt',
          ),
        ]),
    ...(output === undefined || Object.keys(output).length === 0 ? [] : [outputList(output)]),
    ...(calls.length === 0
      ? []
      : [element('ul', { class: 'calls' }, ...calls.map((call) => callRow(call, reason)))]),
  );
}

/**
 * @param {Pick<AttemptRecord, 'attempts' | 'startedAt' | 'finishedAt'>} step
 * @param {boolean} isItem - An item shows only its duration: its step shows the start.
 */
function timing({ attempts, startedAt, finishedAt }, isItem) {
  if (isItem && attempts === 1 && startedAt !== undefined && finishedAt !== undefined)
    return [`took ${Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))} ms`];
  /** @type {(Node | string)[]} */
  const parts = [];
  if (startedAt !== undefined) parts.push('started ', formatTime(startedAt));
  // `startedAt` is the start of the first attempt, so several attempts have no meaningful duration.
  if (finishedAt !== undefined && attempts > 1) parts.push(', finished ', formatTime(finishedAt));
  else if (startedAt !== undefined && finishedAt !== undefined)
    parts.push(`, took ${Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))} ms`);
  if (attempts > 1) parts.push(` · ${attempts} attempts`);
  return parts;
}

/** @param {StepRecord['status']} status */
function reasonClass(status) {
  return status === 'failed' || status === 'retrying' ? 'reason error' : 'reason';
}

/** @param {Readonly<Record<string, unknown>>} output */
function outputList(output) {
  return element(
    'dl',
    { class: 'fields' },
    ...Object.entries(output).flatMap(([name, value]) => [
      element('dt', {}, name),
      element('dd', {}, formatValue(value)),
    ]),
  );
}

/**
 * An API call: request and response.
 *
 * @param {ApiCall} call
 * @param {string | undefined} shownError - An error that is shown above.
 */
export function callRow({ method, path, body, status, error, durationMs, shared }, shownError) {
  const succeeded = status !== undefined && status < 400;
  return element(
    'li',
    {},
    element('code', {}, `${method} ${path}`),
    ' → ',
    element(
      'span',
      { class: 'state', 'data-tone': succeeded ? 'good' : 'bad' },
      status === undefined ? 'no response' : String(status),
    ),
    element(
      'span',
      { class: 'hint' },
      ` ${durationMs} ms${shared === true ? ', shared with another event' : ''}`,
    ),
    ...(body === undefined ? [] : [element('span', { class: 'sent' }, `sent ${JSON.stringify(body)}`)]),
    ...(error === undefined || error === shownError ? [] : [element('span', { class: 'error' }, error)]),
  );
}
