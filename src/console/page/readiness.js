/* global HTMLElement, HTMLSelectElement */
import { byId, element, render } from './dom.js';
import { counted, formatReason, formatTime } from './format.js';

/**
 * The part of `GET /readyz` that this page reads.
 *
 * @typedef {{
 *   redis?: string,
 *   rules?: number,
 *   attention?: readonly string[],
 *   stopping?: boolean,
 *   accounts?: Readonly<Record<string, { ok: boolean, reason?: string, code?: string, since: string }>>,
 * }} Readiness
 */

/**
 * `onlyCounted`: the attention section shows the details to signed-in users.
 *
 * @typedef {{ tone: 'bad' | 'wait', text: string, code?: string | undefined, since?: string, onlyCounted?: true }} Problem
 */

const banner = byId('banner', HTMLElement);
const health = byId('health', HTMLElement);
const accountLabel = byId('account-label', HTMLElement);

/**
 * Shows problems of the service in the banner. The banner is a live region, so only changes are rendered.
 *
 * @param {Readiness | Error} readiness - An error when the service did not respond.
 * @param {boolean} signedIn - Whether the attention section shows the details.
 */
export function showReadiness(readiness, signedIn) {
  const problems = readiness instanceof Error ? [noResponse(readiness)] : problemsOf(readiness);
  const shown = signedIn ? problems.filter(({ onlyCounted }) => onlyCounted !== true) : problems;
  render(
    banner,
    shown.map(({ tone, text, code, since }) =>
      element(
        'p',
        { 'data-tone': tone, 'data-key': text },
        ...formatReason(text, code),
        ...(since === undefined ? [] : [' Since ', formatTime(since), '.']),
      ),
    ),
  );
  const worst = problems.some(({ tone }) => tone === 'bad') ? 'bad' : problems[0]?.tone;
  health.dataset['tone'] = worst ?? 'good';
  render(health, [
    element('span', {}, worst === undefined ? 'running' : 'needs attention'),
    ...ruleCount(readiness),
  ]);
  if (!(readiness instanceof Error)) offerAccounts(Object.keys(readiness.accounts ?? {}));
}

/**
 * @param {Error} error
 * @returns {Problem}
 */
function noResponse(error) {
  return { tone: 'bad', text: `No response: ${error.message}. This page retries automatically.` };
}

/**
 * @param {Readiness} readiness
 * @returns {Problem[]}
 */
function problemsOf({ redis, attention = [], stopping, accounts = {} }) {
  /** @type {Problem[]} */
  const problems = [];
  if (stopping === true)
    problems.push({
      tone: 'wait',
      text: 'The service is stopping: it finishes its active jobs and accepts no webhooks.',
    });
  if (redis === 'starting')
    problems.push({ tone: 'wait', text: 'The service is starting: Redis is not connected yet.' });
  else if (redis !== 'ok')
    problems.push({
      tone: 'bad',
      text:
        `Redis is unavailable${redis === 'unreachable' || redis === undefined ? '' : ` (${redis})`}. Webhooks receive 503 until ` +
        'Redis is back. Accepted events are in Redis and continue then.',
    });
  for (const text of attention) problems.push({ tone: 'bad', text, onlyCounted: true });
  for (const [name, { ok, reason, code, since }] of Object.entries(accounts)) {
    if (ok) continue;
    const text = `Account ${name} cannot be used, so its events wait: ${reason ?? 'unknown reason'}.`;
    problems.push({ tone: 'bad', text, code, since });
  }
  return problems;
}

/** @param {Readiness | Error} readiness */
function ruleCount(readiness) {
  if (readiness instanceof Error || typeof readiness.rules !== 'number') return [];
  return [element('span', { class: 'rule-count' }, ` · ${counted(readiness.rules, 'rule', 'rules')}`)];
}

/**
 * Offers the account filter when there are several accounts.
 *
 * @param {readonly string[]} names
 */
function offerAccounts(names) {
  const select = accountLabel.querySelector('select');
  if (!(select instanceof HTMLSelectElement) || names.length < 2) return;
  const known = new Set([...select.options].map(({ value }) => value));
  for (const name of names) {
    if (!known.has(name)) select.append(element('option', { value: name }, name));
  }
  accountLabel.hidden = false;
}
