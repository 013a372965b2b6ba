/* global Element, HTMLButtonElement, HTMLElement, HTMLDialogElement */
/** @import { ServiceState, UndeliveredSummary } from '../service-state.js' */
/** @import { ApprovalRequest } from '../../coordination/approvals.js' */
/** @import { HeldRuleWithCount } from '../../coordination/run-limits.js' */
import { callApi } from './api.js';
import { byId, collapsedList, element, render } from './dom.js';
import { counted, formatReason, formatTime } from './format.js';

const container = byId('attention', HTMLElement);
const result = byId('attention-result', HTMLElement);
const dialog = byId('confirm-dialog', HTMLDialogElement);

/**
 * What a button does. An operation that loses something has a text to confirm.
 *
 * @typedef {{ path: string, done: string, confirm: string | undefined }} Operation
 */

/** The operation that the dialog confirms. @type {Operation | undefined} */
let unconfirmed;

/**
 * Shows problems that need a person, with buttons to resolve them.
 *
 * @param {ServiceState} state
 */
export function showAttention({ ruleProblems, referenceProblems, held, undelivered, approvals }) {
  render(container, [
    ...(approvals.length === 0
      ? []
      : [
          problemSection(
            'approvals',
            `${counted(approvals.length, 'run waits', 'runs wait')} for an approval`,
            collapsedList('ul', { class: 'plain' }, approvals.map(approvalRow)),
          ),
        ]),
    ...(ruleProblems.length === 0
      ? []
      : [
          problemSection(
            'problems',
            `${counted(ruleProblems.length, 'problem', 'problems')} in the rule files: the previous rules stay active`,
            problemList(ruleProblems),
          ),
        ]),
    ...(referenceProblems.length === 0
      ? []
      : [
          problemSection(
            'references',
            'The rules refer to things that SimpleMDM does not have: steps that need them will fail',
            problemList(referenceProblems),
          ),
        ]),
    ...(held.length === 0
      ? []
      : [
          problemSection(
            'held',
            `${counted(held.length, 'rule is held: its run limit was', 'rules are held: their run limits were')} reached`,
            collapsedList('ul', { class: 'plain' }, held.map(heldRow)),
          ),
        ]),
    ...(undelivered.length === 0
      ? []
      : [
          problemSection(
            'undelivered',
            `${counted(undelivered.length, 'message was', 'messages were')} not delivered`,
            collapsedList('ul', { class: 'plain' }, undelivered.map(undeliveredRow)),
          ),
        ]),
  ]);
}

/**
 * @param {string} key
 * @param {string} title
 * @param {HTMLElement} list
 */
function problemSection(key, title, list) {
  return element(
    'section',
    { class: 'problem', 'data-tone': 'bad', 'data-key': key },
    element('h2', {}, title),
    list,
  );
}

/** @param {ServiceState['ruleProblems']} problems */
function problemList(problems) {
  return collapsedList(
    'ul',
    { class: 'plain' },
    problems.map(({ text }) => {
      const [message = '', ...excerpt] = text.split('\n');
      const lines = withoutIndent(excerpt);
      return element(
        'li',
        {},
        element('p', {}, message),
        ...(lines.length === 0 ? [] : [element('pre', { tabindex: '0' }, lines.join('\n'))]),
      );
    }),
  );
}

/**
 * Removes the common indentation: a phone has no room for it.
 *
 * @param {readonly string[]} lines
 */
function withoutIndent(lines) {
  const indent = Math.min(...lines.map((line) => line.search(/\S|$/)));
  return lines.map((line) => line.slice(indent));
}

/** @param {HeldRuleWithCount} held */
function heldRow({ account, rule, since, reason, waitingRuns, behindEarlierRuns }) {
  const path = `api/held/${encodeURIComponent(account)}/${encodeURIComponent(rule)}`;
  const runs = waitingRuns === 1 ? 'the waiting run' : `the ${waitingRuns} waiting runs`;
  return element(
    'li',
    { 'data-key': `${account} ${rule}` },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, rule),
      element('span', {}, counted(waitingRuns, 'run waits', 'runs wait')),
      ...(behindEarlierRuns === 0
        ? []
        : [
            element(
              'span',
              { class: 'hint' },
              `${behindEarlierRuns} behind earlier runs of the same device or key`,
            ),
          ]),
      ...(account === 'default' ? [] : [element('span', { class: 'tag' }, account)]),
    ),
    element('p', { class: 'hint' }, `${reason}; held since `, formatTime(since)),
    buttons(
      {
        label: 'Release',
        path: `${path}/release`,
        done: `${rule} is released. Its runs continue in a few seconds.`,
      },
      {
        label: 'Drop…',
        path: `${path}/drop`,
        done: `The waiting runs of ${rule} are dead letters now and can be replayed. New runs of the rule can start.`,
        confirm: `Drop ${runs} of ${rule}? Dropped runs become dead letters and can be replayed.`,
      },
    ),
  );
}

/** @param {ApprovalRequest} request */
function approvalRow({ id, account, rule, device, event, steps, expiresAt }) {
  const path = `api/approvals/${encodeURIComponent(id)}`;
  const serial = device?.serialNumber ?? (device?.id === undefined ? undefined : `device ${device.id}`);
  const names = [device?.name, serial].filter((name) => name !== undefined);
  return element(
    'li',
    { 'data-key': id },
    element(
      'p',
      { class: 'line' },
      element('strong', {}, rule),
      element('span', {}, names.join(', ')),
      ...(account === 'default' ? [] : [element('span', { class: 'tag' }, account)]),
      element('a', { href: `#${event.id}` }, 'trace'),
    ),
    element(
      'ul',
      {},
      ...steps.map(({ action, args }) => element('li', {}, element('code', {}, action), ` ${args}`)),
    ),
    element('p', { class: 'hint' }, 'open until ', formatTime(expiresAt)),
    buttons(
      { label: 'Approve', path: `${path}/approve`, done: `Approved. The run of ${rule} continues.` },
      { label: 'Reject', path: `${path}/reject`, done: `Rejected. The run of ${rule} skips the steps.` },
    ),
  );
}

/** @param {UndeliveredSummary} message */
function undeliveredRow({ id, channel, title, alerts, reason, code, since }) {
  const path = `api/alerts/${encodeURIComponent(id)}`;
  const more = alerts > 1 ? ` and ${alerts - 1} more` : '';
  return element(
    'li',
    { 'data-key': id },
    element('p', { class: 'line' }, element('strong', {}, channel), element('span', {}, title + more)),
    element('p', { class: 'hint' }, ...formatReason(reason, code), '; undelivered since ', formatTime(since)),
    buttons(
      { label: 'Retry', path: `${path}/retry`, done: 'The message is queued again.' },
      {
        label: 'Drop…',
        path: `${path}/drop`,
        done: 'The message is dropped.',
        confirm: `Drop the message “${title}”${more} to ${channel}? Nobody will receive it.`,
      },
    ),
  );
}

/** @param {...{ label: string, path: string, done: string, confirm?: string }} operations */
function buttons(...operations) {
  return element(
    'p',
    { class: 'buttons' },
    ...operations.map(({ label, path, done, confirm }) =>
      element(
        'button',
        { type: 'button', 'data-path': path, 'data-done': done, 'data-confirm': confirm },
        label,
      ),
    ),
  );
}

/**
 * Handles the buttons, with a confirmation before something is lost.
 *
 * @param {() => void} onDone
 */
export function startAttention(onDone) {
  container.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    const { path, done, confirm } = button?.dataset ?? {};
    if (!(button instanceof HTMLButtonElement) || path === undefined || done === undefined) return;
    if (confirm === undefined) {
      void perform({ path, done, confirm }).then(onDone);
      return;
    }
    unconfirmed = { path, done, confirm };
    byId('confirm-text', HTMLElement).textContent = confirm;
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'drop' && unconfirmed !== undefined) void perform(unconfirmed).then(onDone);
    unconfirmed = undefined;
  });
}

/** @param {Operation} operation */
async function perform({ path, done }) {
  try {
    await callApi(path, { method: 'POST' });
    result.textContent = done;
  } catch (error) {
    result.textContent = `The request failed: ${error instanceof Error ? error.message : String(error)}`;
  }
  result.hidden = false;
}
