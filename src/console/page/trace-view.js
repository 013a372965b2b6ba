/** @import { AlertTrace, FactTrace, RuleTrace, RunTrace, Trace } from '../../journal/trace.js' */
import { collapsedList, element } from './dom.js';
import { counted, formatDevice, formatReason, formatTime, formatValue } from './format.js';
import { callRow, runSection } from './run-view.js';
import { ALERT_STATUS, FACT_STATUS, eventStatusLabel, statusLabel, verdictLabel } from './status-labels.js';

/**
 * The trace of an event: the reasons for its status, alerts, runs, rules, facts, and the event data.
 *
 * @param {Trace} trace
 * @returns {HTMLElement[]}
 */
export function traceView(trace) {
  const facts = Object.entries(trace.facts).map(([name, fact]) => factRow(name, fact));
  const decisions = [...trace.decisions].sort((a, b) => rank(a) - rank(b));
  return [
    heading(trace),
    ...statusReasons(trace),
    ...webhookWarnings(trace),
    ...(trace.alerts.length === 0
      ? []
      : [section('alerts', 'Alerts', collapsedList('ul', { class: 'plain' }, trace.alerts.map(alertRow)))]),
    ...worstFirst(trace.runs).map((run) => runSection(run, trace)),
    section(
      'rules',
      'Rules evaluated',
      decisions.length > 0
        ? collapsedList('ul', { class: 'plain' }, decisions.map(decisionRow))
        : hint(
            trace.processing?.state === 'completed'
              ? 'None: no rule has this event type in its triggers.'
              : 'None yet.',
          ),
    ),
    section(
      'facts',
      'Facts',
      facts.length > 0
        ? element('ul', { class: 'plain' }, ...facts)
        : hint('None: the rules needed only the event itself.'),
    ),
    eventData(trace),
  ];
}

/**
 * @param {string} key
 * @param {string} title
 * @param {...(Node | string | undefined)} content
 */
function section(key, title, ...content) {
  return element('section', { 'data-key': key }, element('h3', {}, title), ...content);
}

/** @param {string} text */
function hint(text) {
  return element('p', { class: 'hint' }, text);
}

/** @param {Trace} trace */
function heading({ id, account, source, status, ownAction, processing, data, deviceName }) {
  const attempts = processing?.attempts ?? 0;
  const device = [deviceName, formatDevice(data)].filter((label) => label !== undefined);
  const details = [...device, `account ${account}`, ...(source === 'webhook' ? [] : [source])];
  if (attempts > 1) details.push(counted(attempts, 'attempt', 'attempts'));
  return element(
    'p',
    { class: 'trace-about', 'data-key': 'about' },
    eventStatusLabel({ status, ownAction }),
    element('span', {}, ` ${details.join(' · ')} · `),
    element('code', { title: id }, id.slice(0, 12)),
  );
}

/**
 * Runs that need a person come first.
 *
 * @param {readonly RunTrace[]} runs
 */
function worstFirst(runs) {
  const order = ['failed', 'waiting', 'running', 'queued', 'completed'];
  return [...runs].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

/** Why the event and each of its runs wait or failed. @param {Trace} trace */
function statusReasons({ processing, runs }) {
  const ofEvent =
    processing?.reason === undefined
      ? []
      : [
          statusReason('event', processing.state, [
            ...formatReason(processing.reason, processing.code),
            ...nextAttempt(processing.nextAttemptAt),
          ]),
        ];
  const ofRuns = worstFirst(runs).flatMap(({ rule, status, reason, code }) =>
    reason === undefined
      ? []
      : [
          statusReason(`run ${rule}`, status, [
            element('strong', {}, rule),
            ': ',
            ...formatReason(reason, code),
          ]),
        ],
  );
  return [...ofEvent, ...ofRuns];
}

/**
 * @param {string} key
 * @param {string} status
 * @param {readonly (Node | string)[]} content
 */
function statusReason(key, status, content) {
  const tone = status === 'failed' ? 'bad' : status === 'waiting' ? 'wait' : 'quiet';
  return element('p', { class: 'verdict', 'data-tone': tone, 'data-key': `reason ${key}` }, ...content);
}

/** What was odd about the webhook. @param {Trace} trace */
function webhookWarnings({ warnings = [] }) {
  if (warnings.length === 0) return [];
  return [
    section(
      'warnings',
      'Odd webhook',
      element('ul', { class: 'plain' }, ...warnings.map((warning) => element('li', {}, warning))),
    ),
  ];
}

/** @param {string | undefined} at */
function nextAttempt(at) {
  return at === undefined ? [] : ['; next attempt at ', formatTime(at)];
}

/** @param {Trace} trace */
function eventData({ at, receivedAt, data, original, deviceName }) {
  const fields = /** @type {[string, Node | string][]} */ ([
    ['device', [deviceName, formatDevice(data)].filter((label) => label !== undefined).join(', ') || 'none'],
    ['happened', formatTime(at)],
    ['received', formatTime(receivedAt)],
  ]);
  return section(
    'event-data',
    'Event data',
    element(
      'dl',
      { class: 'fields' },
      ...fields.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    ),
    element(
      'details',
      {},
      element('summary', {}, 'data'),
      element('pre', { tabindex: '0' }, formatValue(data)),
    ),
    ...(original === undefined
      ? []
      : [
          element(
            'details',
            {},
            element('summary', {}, 'other fields, as sent'),
            element('pre', { tabindex: '0' }, formatValue(original)),
          ),
        ]),
  );
}

/**
 * @param {string} name
 * @param {FactTrace} fact
 */
function factRow(name, { status, value, fetchedAt, durationMs, calls, error, code, warnings = [] }) {
  return element(
    'li',
    { 'data-key': `fact ${name}` },
    element(
      'p',
      { class: 'line' },
      statusLabel(FACT_STATUS, status),
      element('strong', {}, name),
      element(
        'span',
        { class: 'hint' },
        `${durationMs} ms, `,
        formatTime(fetchedAt),
        calls.length === 0 ? ', cached' : '',
      ),
    ),
    ...(error === undefined ? [] : [element('p', { class: 'error' }, ...formatReason(error, code))]),
    ...warnings.map((text) => element('p', { class: 'reason' }, element('strong', {}, 'Warning: '), text)),
    ...(calls.length === 0
      ? []
      : [element('ul', { class: 'calls' }, ...calls.map((call) => callRow(call, error)))]),
    ...(value === undefined || value === null
      ? []
      : [
          element(
            'details',
            {},
            element('summary', {}, 'value'),
            element('pre', { tabindex: '0' }, formatValue(value)),
          ),
        ]),
  );
}

/** @param {AlertTrace} alert */
function alertRow({ id, channel, status, title, at, reason, code }) {
  return element(
    'li',
    { 'data-key': `alert ${id} ${channel}` },
    element(
      'p',
      { class: 'line' },
      statusLabel(ALERT_STATUS, status),
      element('strong', {}, channel),
      element('span', { class: 'hint' }, formatTime(at)),
    ),
    element('p', {}, title),
    ...(reason === undefined ? [] : [element('p', { class: 'reason' }, ...formatReason(reason, code))]),
  );
}

/** Problems and matches come first, rules without effect last. @param {RuleTrace} decision */
function rank({ verdict }) {
  return ['error', 'waiting', 'matched', 'cleared', 'not_matched', 'disabled'].indexOf(verdict);
}

/** @param {RuleTrace} decision */
function decisionRow({ rule, description, verdict, ownAction, reason, code }) {
  return element(
    'li',
    { 'data-key': `rule ${rule}`, class: 'decision' },
    element('p', { class: 'line' }, verdictLabel({ verdict, ownAction }), element('strong', {}, rule)),
    ...(description === undefined ? [] : [element('p', { class: 'hint' }, description)]),
    element('p', { class: 'reason' }, ...formatReason(reason, code)),
  );
}
