/** @import { RunTrace, Trace } from '../../journal/trace.js' */
/** @import { AttemptRecord, StepRecord } from '../../queues/jobs.js' */
/** @import { ApiCall } from '../../http/api-call.js' */
import { element, shortList } from './dom.js';
import { RUN_STATUS, counted, stateWord, stepStatusWord, textOf, timeWord } from './words.js';

/**
 * What one rule did for the event, step by step.
 *
 * @param {RunTrace} run
 * @param {Pick<Trace, 'id' | 'alerts'>} trace
 */
export function runSection(run, { id, alerts }) {
  const { rule, status, plannedAt, finishedAt, reason, steps } = run;
  /** An alert is named after the step that told it. @param {string} place */
  const channelsOf = (place) =>
    alerts.flatMap((alert) =>
      // What a replay began afresh has its number behind it.
      alert.id.replace(/\.r\d+$/, '') === `${id}.${rule}.${place}` ? [alert.channel] : [],
    );
  // A step that failed says it itself, and on a phone that is half a screen.
  const saidBelow = steps.some((step) => step.reason !== undefined && reason?.endsWith(step.reason));
  return element(
    'section',
    { 'data-key': `run ${rule}` },
    element('h3', {}, 'Done by ', element('strong', {}, rule)),
    element(
      'p',
      { class: 'line' },
      stateWord(RUN_STATUS, status),
      element(
        'span',
        { class: 'hint' },
        'planned ',
        timeWord(plannedAt),
        ...(finishedAt === undefined ? [] : [', ended ', timeWord(finishedAt)]),
      ),
    ),
    ...(reason === undefined || saidBelow
      ? []
      : [element('p', { class: status === 'failed' ? 'error' : 'reason' }, reason)]),
    element(
      'ol',
      { class: 'steps' },
      ...steps.map((step, index) => stepRow(step, index, status, channelsOf)),
    ),
  );
}

/**
 * @param {StepRecord} step
 * @param {number} index
 * @param {RunTrace['status']} run
 * @param {(place: string) => readonly string[]} channelsOf
 */
function stepRow(step, index, run, channelsOf) {
  const { items = [], each = [], ...about } = step;
  if (step.each === undefined) return attemptRow(step, `step ${index}`, run, channelsOf(`${index}`));
  // What its items came to stands below, item by item.
  const row = attemptRow({ ...about, output: undefined }, `step ${index}`, run, []);
  row.append(
    element('p', { class: 'hint' }, `for ${counted(each.length, 'item', 'items')}`),
    shortList(
      'ol',
      { class: 'steps' },
      each.map((attempt, position) => {
        const place = `${index}.${position}`;
        const key = `step ${index} item ${position}`;
        return attemptRow(attempt, key, run, channelsOf(place), itemWord(items[position]));
      }),
    ),
  );
  return row;
}

/**
 * What an item is called.
 *
 * @param {unknown} item
 */
function itemWord(item) {
  if (typeof item !== 'object' || item === null) return item === undefined ? undefined : String(item);
  const named = /** @type {Readonly<Record<string, unknown>>} */ (item);
  return textOf(named['name'] ?? named['id'] ?? item);
}

/**
 * @param {Omit<AttemptRecord, 'output'> & { output?: AttemptRecord['output'] | undefined }} step
 * @param {string} key
 * @param {RunTrace['status']} run
 * @param {readonly string[]} channels
 * @param {string} [item]
 */
function attemptRow(step, key, run, channels, item) {
  const { action, id, status, reason, nextAttemptAt, unsettledSince, output, calls } = step;
  return element(
    'li',
    { 'data-key': key },
    element(
      'p',
      { class: 'line' },
      stepStatusWord(status, run),
      element('strong', {}, item ?? action),
      ...(channels.length === 0 ? [] : [element('span', {}, `to ${channels.join(', ')}`)]),
      element(
        'span',
        { class: 'hint' },
        ...timing(step, item !== undefined),
        id === undefined ? '' : ` · known as steps.${id}`,
      ),
    ),
    ...(reason === undefined ? [] : [element('p', { class: toneOfReason(status) }, reason)]),
    ...(nextAttemptAt === undefined
      ? []
      : [element('p', { class: 'hint' }, 'next attempt at ', timeWord(nextAttemptAt))]),
    ...(unsettledSince === undefined
      ? []
      : [
          element(
            'p',
            { class: 'hint' },
            'an attempt began ',
            timeWord(unsettledSince),
            ' whose outcome is not known yet; it is looked for before anything is done again',
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
 * @param {boolean} brief - Of an item; when its step began stands above.
 */
function timing({ attempts, startedAt, finishedAt }, brief) {
  if (brief && attempts === 1 && startedAt !== undefined && finishedAt !== undefined)
    return [`took ${Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))} ms`];
  /** @type {(Node | string)[]} */
  const words = [];
  if (startedAt !== undefined) words.push('began ', timeWord(startedAt));
  // Of several attempts it is the first that began then: the time between says nothing of how long it took.
  if (finishedAt !== undefined && attempts > 1) words.push(', ended ', timeWord(finishedAt));
  else if (startedAt !== undefined && finishedAt !== undefined)
    words.push(`, took ${Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))} ms`);
  if (attempts > 1) words.push(` · ${attempts} attempts`);
  return words;
}

/** @param {StepRecord['status']} status */
function toneOfReason(status) {
  return status === 'failed' || status === 'retrying' ? 'reason error' : 'reason';
}

/** @param {Readonly<Record<string, unknown>>} output */
function outputList(output) {
  return element(
    'dl',
    { class: 'fields' },
    ...Object.entries(output).flatMap(([name, value]) => [
      element('dt', {}, name),
      element('dd', {}, textOf(value)),
    ]),
  );
}

/**
 * An API call: what was sent and what came back.
 *
 * @param {ApiCall} call
 * @param {string | undefined} said - The error that stands above it already.
 */
export function callRow({ method, path, body, status, error, durationMs, shared }, said) {
  const went = status !== undefined && status < 400;
  return element(
    'li',
    {},
    element('code', {}, `${method} ${path}`),
    ' → ',
    element(
      'span',
      { class: 'state', 'data-tone': went ? 'good' : 'bad' },
      status === undefined ? 'no answer' : String(status),
    ),
    element(
      'span',
      { class: 'hint' },
      ` ${durationMs} ms${shared === true ? ', shared with another event' : ''}`,
    ),
    ...(body === undefined ? [] : [element('span', { class: 'sent' }, `sent ${JSON.stringify(body)}`)]),
    ...(error === undefined || error === said ? [] : [element('span', { class: 'error' }, error)]),
  );
}
