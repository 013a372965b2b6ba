/* global Element, HTMLButtonElement, HTMLElement, HTMLDialogElement */
/** @import { ServiceState, UndeliveredMessage } from '../service-state.js' */
/** @import { HeldRuleWithCount } from '../../coordination/run-limits.js' */
import { askApi } from './api.js';
import { byId, element, showIn, shortList } from './dom.js';
import { counted, timeWord } from './words.js';

const place = byId('attention', HTMLElement);
const result = byId('attention-result', HTMLElement);
const dialog = byId('confirm-dialog', HTMLDialogElement);

/**
 * What a button does once it is pressed, and confirmed where something would be lost.
 *
 * @typedef {{ path: string, done: string, ask: string | undefined }} Deed
 */

/** The deed that the dialog asks about. @type {Deed | undefined} */
let asked;

/**
 * Shows what asks for a person, with what can be done about it.
 *
 * @param {ServiceState} state
 */
export function showAttention({ ruleProblems, referenceProblems, held, undelivered }) {
  showIn(place, [
    ...(ruleProblems.length === 0
      ? []
      : [
          trouble(
            'problems',
            `${counted(ruleProblems.length, 'problem', 'problems')} in the rule files: the rules of before stay in force`,
            problemList(ruleProblems),
          ),
        ]),
    ...(referenceProblems.length === 0
      ? []
      : [
          trouble(
            'references',
            'The rules name what is not there at SimpleMDM: steps that need it will fail',
            problemList(referenceProblems),
          ),
        ]),
    ...(held.length === 0
      ? []
      : [
          trouble(
            'held',
            `${counted(held.length, 'rule is', 'rules are')} held, since too many runs began`,
            shortList('ul', { class: 'plain' }, held.map(heldRow)),
          ),
        ]),
    ...(undelivered.length === 0
      ? []
      : [
          trouble(
            'undelivered',
            `${counted(undelivered.length, 'message was', 'messages were')} not delivered`,
            shortList('ul', { class: 'plain' }, undelivered.map(undeliveredRow)),
          ),
        ]),
  ]);
}

/**
 * @param {string} key
 * @param {string} title
 * @param {HTMLElement} list
 */
function trouble(key, title, list) {
  return element(
    'section',
    { class: 'trouble', 'data-tone': 'bad', 'data-key': key },
    element('h2', {}, title),
    list,
  );
}

/** @param {readonly string[]} problems - Each with its place, its line and a caret below. */
function problemList(problems) {
  return shortList(
    'ul',
    { class: 'plain' },
    problems.map((problem) => {
      const [said = '', ...shown] = problem.split('\n');
      const lines = withoutIndent(shown);
      return element(
        'li',
        {},
        element('p', {}, said),
        ...(lines.length === 0 ? [] : [element('pre', { tabindex: '0' }, lines.join('\n'))]),
      );
    }),
  );
}

/**
 * Lines moved to the left together: on a phone there is no room for the indentation of a file.
 *
 * @param {readonly string[]} lines
 */
function withoutIndent(lines) {
  const indent = Math.min(...lines.map((line) => line.search(/\S|$/)));
  return lines.map((line) => line.slice(indent));
}

/** @param {HeldRuleWithCount} held */
function heldRow({ account, rule, since, reason, waitingRuns }) {
  const path = `api/held/${encodeURIComponent(account)}/${encodeURIComponent(rule)}`;
  const runs = waitingRuns === 1 ? 'the run that waits' : `the ${waitingRuns} runs that wait`;
  return element(
    'li',
    { 'data-key': `${account} ${rule}` },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, rule),
      element('span', {}, counted(waitingRuns, 'run waits', 'runs wait')),
      ...(account === 'default' ? [] : [element('span', { class: 'tag' }, account)]),
    ),
    element('p', { class: 'hint' }, `${reason}; held since `, timeWord(since)),
    buttons(
      {
        label: 'Release',
        path: `${path}/release`,
        done: `${rule} is released: its runs go on in a few seconds.`,
      },
      {
        label: 'Drop…',
        path: `${path}/drop`,
        done: `${rule} goes on with new runs; those that waited become dead letters, which can be replayed.`,
        ask: `${rule}: ${runs} will not be done, and each becomes a dead letter, which can be replayed.`,
      },
    ),
  );
}

/** @param {UndeliveredMessage} message */
function undeliveredRow({ id, channel, title, alerts, reason, since }) {
  const path = `api/alerts/${encodeURIComponent(id)}`;
  const more = alerts > 1 ? ` and ${alerts - 1} more` : '';
  return element(
    'li',
    { 'data-key': id },
    element('p', { class: 'line' }, element('strong', {}, channel), element('span', {}, title + more)),
    element('p', { class: 'hint' }, `${reason}; given up `, timeWord(since)),
    buttons(
      { label: 'Retry', path: `${path}/retry`, done: 'The message goes out again in a few seconds.' },
      {
        label: 'Drop…',
        path: `${path}/drop`,
        done: 'The message is dropped.',
        ask: `The message “${title}”${more} to ${channel} is thrown away; nobody will be told.`,
      },
    ),
  );
}

/** @param {...{ label: string, path: string, done: string, ask?: string }} deeds */
function buttons(...deeds) {
  return element(
    'p',
    { class: 'buttons' },
    ...deeds.map(({ label, path, done, ask }) =>
      element('button', { type: 'button', 'data-path': path, 'data-done': done, 'data-ask': ask }, label),
    ),
  );
}

/**
 * Does what the buttons say, and asks before something is lost.
 *
 * @param {() => void} onDone
 */
export function startAttention(onDone) {
  place.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    const { path, done, ask } = button?.dataset ?? {};
    if (!(button instanceof HTMLButtonElement) || path === undefined || done === undefined) return;
    if (ask === undefined) {
      void carryOut({ path, done, ask }).then(onDone);
      return;
    }
    asked = { path, done, ask };
    byId('confirm-about', HTMLElement).textContent = ask;
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'drop' && asked !== undefined) void carryOut(asked).then(onDone);
    asked = undefined;
  });
}

/** @param {Deed} deed */
async function carryOut({ path, done }) {
  try {
    await askApi(path, { method: 'POST' });
    result.textContent = done;
  } catch (error) {
    result.textContent = `Nothing was done: ${error instanceof Error ? error.message : String(error)}`;
  }
  result.hidden = false;
}
