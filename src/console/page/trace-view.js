/** @import { AlertTrace, FactTrace, RuleTrace, RunTrace, Trace } from '../../journal/trace.js' */
import { element, shortList } from './dom.js';
import { callRow, runSection } from './trace-runs.js';
import {
  ALERT_STATUS,
  FACT_STATUS,
  deviceWord,
  eventStatusWord,
  stateWord,
  textOf,
  timeWord,
  verdictWord,
} from './words.js';

/**
 * The trace of an event: first why it stands there and who was told, then what was done, each rule and why, what was looked up,
 * what came in.
 *
 * @param {Trace} trace
 * @returns {HTMLElement[]}
 */
export function traceView(trace) {
  const facts = Object.entries(trace.facts).map(([name, fact]) => factRow(name, fact));
  const decisions = [...trace.decisions].sort((a, b) => rank(a) - rank(b));
  return [
    heading(trace),
    ...whyItStands(trace),
    ...(trace.alerts.length === 0
      ? []
      : [section('told', 'Told', shortList('ul', { class: 'plain' }, trace.alerts.map(alertRow)))]),
    ...worstFirst(trace.runs).map((run) => runSection(run, trace)),
    section(
      'rules',
      'Rules considered',
      decisions.length > 0
        ? shortList('ul', { class: 'plain' }, decisions.map(decisionRow))
        : note(
            trace.processing?.state === 'done'
              ? 'None: no rule listens for this type of event.'
              : 'None yet.',
          ),
    ),
    section(
      'looked-up',
      'Looked up',
      facts.length > 0
        ? element('ul', { class: 'plain' }, ...facts)
        : note('Nothing: the rules for this type of event needed no more than the event itself.'),
    ),
    cameIn(trace),
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
function note(text) {
  return element('p', { class: 'hint' }, text);
}

/** @param {Trace} trace */
function heading({ id, account, source, status, ownAction, processing, data, deviceName }) {
  const attempts = processing?.attempts ?? 0;
  const device = [deviceName, deviceWord(data)].filter((word) => word !== undefined);
  const about = [...device, `account ${account}`, ...(source === 'webhook' ? [] : [source])];
  if (attempts > 1) about.push(`looked at ${attempts} times`);
  return element(
    'p',
    { class: 'trace-about', 'data-key': 'about' },
    eventStatusWord({ status, ownAction }),
    element('span', {}, ` ${about.join(' · ')} · `),
    element('code', { title: id }, id.slice(0, 12)),
  );
}

/**
 * What asks for a person comes first.
 *
 * @param {readonly RunTrace[]} runs
 */
function worstFirst(runs) {
  const order = ['failed', 'waiting', 'running', 'queued', 'completed'];
  return [...runs].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

/** What keeps the event, and what keeps each of its runs. @param {Trace} trace */
function whyItStands({ processing, runs }) {
  const ofEvent =
    processing?.reason === undefined
      ? []
      : [why('event', processing.state, [processing.reason, ...nextAttempt(processing.nextAttemptAt)])];
  const ofRuns = worstFirst(runs).flatMap(({ rule, status, reason }) =>
    reason === undefined ? [] : [why(`run ${rule}`, status, [element('strong', {}, rule), `: ${reason}`])],
  );
  return [...ofEvent, ...ofRuns];
}

/**
 * @param {string} key
 * @param {string} state
 * @param {readonly (Node | string)[]} words
 */
function why(key, state, words) {
  const tone = state === 'failed' ? 'bad' : state === 'waiting' ? 'wait' : 'quiet';
  return element('p', { class: 'verdict', 'data-tone': tone, 'data-key': `why ${key}` }, ...words);
}

/** @param {string | undefined} at */
function nextAttempt(at) {
  return at === undefined ? [] : [' — next attempt at ', timeWord(at)];
}

/** @param {Trace} trace */
function cameIn({ at, receivedAt, data, deviceName }) {
  const fields = /** @type {[string, Node | string][]} */ ([
    [
      'device',
      [deviceName, deviceWord(data)].filter((word) => word !== undefined).join(', ') || 'none named',
    ],
    ['happened', timeWord(at)],
    ['received', timeWord(receivedAt)],
  ]);
  return section(
    'came-in',
    'Came in',
    element(
      'dl',
      { class: 'fields' },
      ...fields.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
    ),
    element(
      'details',
      {},
      element('summary', {}, 'data of the webhook'),
      element('pre', { tabindex: '0' }, textOf(data)),
    ),
  );
}

/**
 * @param {string} name
 * @param {FactTrace} fact
 */
function factRow(name, { status, value, fetchedAt, durationMs, calls, error }) {
  return element(
    'li',
    { 'data-key': `fact ${name}` },
    element(
      'p',
      { class: 'line' },
      stateWord(FACT_STATUS, status),
      element('strong', {}, name),
      element(
        'span',
        { class: 'hint' },
        `${durationMs} ms, `,
        timeWord(fetchedAt),
        calls.length === 0 ? ', from memory' : '',
      ),
    ),
    ...(error === undefined ? [] : [element('p', { class: 'error' }, error)]),
    ...(calls.length === 0
      ? []
      : [element('ul', { class: 'calls' }, ...calls.map((call) => callRow(call, error)))]),
    ...(value === undefined || value === null
      ? []
      : [
          element(
            'details',
            {},
            element('summary', {}, 'what was found'),
            element('pre', { tabindex: '0' }, textOf(value)),
          ),
        ]),
  );
}

/** @param {AlertTrace} alert */
function alertRow({ id, channel, status, title, at, reason }) {
  return element(
    'li',
    { 'data-key': `alert ${id} ${channel}` },
    element(
      'p',
      { class: 'line' },
      stateWord(ALERT_STATUS, status),
      element('strong', {}, channel),
      element('span', { class: 'hint' }, timeWord(at)),
    ),
    element('p', {}, title),
    ...(reason === undefined ? [] : [element('p', { class: 'reason' }, reason)]),
  );
}

/** What matched comes first, what is only there to explain itself last. @param {RuleTrace} decision */
function rank({ verdict }) {
  return ['error', 'waiting', 'matched', 'not_matched', 'disabled'].indexOf(verdict);
}

/** @param {RuleTrace} decision */
function decisionRow({ rule, description, verdict, ownAction, reason }) {
  return element(
    'li',
    { 'data-key': `rule ${rule}`, class: 'decision' },
    element('p', { class: 'line' }, verdictWord({ verdict, ownAction }), element('strong', {}, rule)),
    ...(description === undefined ? [] : [element('p', { class: 'hint' }, description)]),
    element('p', { class: 'reason' }, reason),
  );
}
