/** @import { RunTrace } from '../../journal/trace.js' */
/** @import { AttemptRecord, StepRecord } from '../../queues/jobs.js' */
/** @import { ApiCall } from '../../simplemdm/call-log.js' */
import { element } from './dom.js';
import { RUN_STATUS, STEP_STATUS, stateWord, textOf, timeWord } from './words.js';

/**
 * What one rule did for the event, step by step.
 *
 * @param {RunTrace} run
 */
export function runSection({ rule, status, plannedAt, finishedAt, steps }) {
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
    element('ol', { class: 'steps' }, ...steps.map(stepRow)),
  );
}

/**
 * @param {StepRecord} step
 * @param {number} index
 */
function stepRow(step, index) {
  const row = attemptRow(step, `step ${index}`);
  const each = (step.each ?? []).map((item, position) => attemptRow(item, `step ${index} item ${position}`));
  if (each.length > 0) row.append(element('ol', { class: 'steps' }, ...each));
  return row;
}

/**
 * @param {AttemptRecord} step
 * @param {string} key
 */
function attemptRow(step, key) {
  const { action, id, status, reason, nextAttemptAt, unsettledSince, output, calls } = step;
  return element(
    'li',
    { 'data-key': key },
    element(
      'p',
      { class: 'line' },
      stateWord(STEP_STATUS, status),
      element('strong', {}, action),
      element('span', { class: 'hint' }, ...timing(step), id === undefined ? '' : ` · known as steps.${id}`),
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

/** @param {AttemptRecord} step */
function timing({ attempts, startedAt, finishedAt }) {
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
