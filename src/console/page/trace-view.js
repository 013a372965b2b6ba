/** @import { AlertTrace, FactTrace, RuleTrace, Trace } from '../../journal/trace.js' */
import { element } from './dom.js';
import { callRow, runSection } from './trace-runs.js';
import {
  ALERT_STATUS,
  EVENT_STATUS,
  FACT_STATUS,
  VERDICT,
  deviceWord,
  stateWord,
  textOf,
  timeWord,
} from './words.js';

/**
 * The trace of an event: what came in, what was looked up, each rule and why, what was done.
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
    cameIn(trace),
    section(
      'looked-up',
      'Looked up',
      facts.length > 0
        ? element('ul', { class: 'plain' }, ...facts)
        : note('Nothing: the rules for this type of event needed no more than the event itself.'),
    ),
    section(
      'rules',
      'Rules considered',
      decisions.length > 0
        ? element('ul', { class: 'plain' }, ...decisions.map(decisionRow))
        : note(
            trace.processing?.state === 'done'
              ? 'None: no rule listens for this type of event.'
              : 'None yet.',
          ),
    ),
    ...trace.runs.map(runSection),
    ...(trace.alerts.length === 0
      ? []
      : [section('told', 'Told', element('ul', { class: 'plain' }, ...trace.alerts.map(alertRow)))]),
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
function heading({ id, account, source, status, processing }) {
  const attempts = processing?.attempts ?? 0;
  const about = [`account ${account}`, ...(source === 'webhook' ? [] : [source])];
  if (attempts > 1) about.push(`looked at ${attempts} times`);
  return element(
    'p',
    { class: 'trace-about', 'data-key': 'about' },
    stateWord(EVENT_STATUS, status),
    element('span', {}, ` ${about.join(' · ')} · `),
    element('code', { title: id }, id.slice(0, 12)),
  );
}

/** @param {Trace} trace */
function whyItStands({ reason, status, processing }) {
  if (reason === undefined || (status !== 'failed' && status !== 'waiting')) return [];
  const next = status === 'waiting' ? processing?.nextAttemptAt : undefined;
  return [
    element(
      'p',
      { class: 'verdict', 'data-tone': status === 'failed' ? 'bad' : 'wait', 'data-key': 'why' },
      reason,
      ...(next === undefined ? [] : [' — next attempt at ', timeWord(next)]),
    ),
  ];
}

/** @param {Trace} trace */
function cameIn({ at, receivedAt, data }) {
  const fields = /** @type {[string, Node | string][]} */ ([
    ['device', deviceWord(data) ?? 'none named'],
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
function decisionRow({ rule, description, verdict, reason }) {
  return element(
    'li',
    { 'data-key': `rule ${rule}`, class: 'decision' },
    element('p', { class: 'line' }, stateWord(VERDICT, verdict), element('strong', {}, rule)),
    ...(description === undefined ? [] : [element('p', { class: 'hint' }, description)]),
    element('p', { class: 'reason' }, reason),
  );
}
