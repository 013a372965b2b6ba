/* global HTMLElement, HTMLSelectElement */
import { byId, element, showIn } from './dom.js';
import { timeWord } from './words.js';

/**
 * What `GET /readyz` says, as far as this page reads it.
 *
 * @typedef {{
 *   redis?: string,
 *   rules?: number,
 *   attention?: readonly string[],
 *   stopping?: boolean,
 *   accounts?: Readonly<Record<string, { ok: boolean, reason?: string, since: string }>>,
 * }} Readiness
 */

/** @typedef {{ tone: 'bad' | 'wait', text: string, since?: string, counted?: true }} Trouble */

const banner = byId('banner', HTMLElement);
const health = byId('health', HTMLElement);
const accountLabel = byId('account-label', HTMLElement);

/**
 * Shows what keeps the service from its work. It is a live region, so only what changed is written.
 *
 * @param {Readiness | Error} readiness - An error when the service did not answer.
 * @param {boolean} signedIn - Then what asks for a person is shown in full beside.
 */
export function showReadiness(readiness, signedIn) {
  const troubles = readiness instanceof Error ? [silence(readiness)] : troublesOf(readiness);
  const shown = signedIn ? troubles.filter(({ counted }) => counted !== true) : troubles;
  showIn(
    banner,
    shown.map(({ tone, text, since }) =>
      element(
        'p',
        { 'data-tone': tone, 'data-key': text },
        text,
        ...(since === undefined ? [] : [' Since ', timeWord(since), '.']),
      ),
    ),
  );
  const worst = troubles.some(({ tone }) => tone === 'bad') ? 'bad' : troubles[0]?.tone;
  health.dataset['tone'] = worst ?? 'good';
  showIn(health, [
    element('span', {}, worst === undefined ? 'running' : 'attention'),
    ...rulesWord(readiness),
  ]);
  if (!(readiness instanceof Error)) offerAccounts(Object.keys(readiness.accounts ?? {}));
}

/**
 * @param {Error} error
 * @returns {Trouble}
 */
function silence(error) {
  return { tone: 'bad', text: `No answer: ${error.message}. This page tries again by itself.` };
}

/**
 * @param {Readiness} readiness
 * @returns {Trouble[]}
 */
function troublesOf({ redis, attention = [], stopping, accounts = {} }) {
  /** @type {Trouble[]} */
  const troubles = [];
  if (stopping === true)
    troubles.push({
      tone: 'wait',
      text: 'The service is stopping: it finishes what it has in hand and takes no more webhooks.',
    });
  if (redis === 'starting')
    troubles.push({ tone: 'wait', text: 'The service is starting: Redis is not connected yet.' });
  else if (redis !== 'ok')
    troubles.push({
      tone: 'bad',
      text:
        `Redis is away${redis === 'away' || redis === undefined ? '' : ` (${redis})`}. Webhooks are answered 503 until it is ` +
        'back; what was taken before is in Redis and goes on then.',
    });
  for (const text of attention) troubles.push({ tone: 'bad', text, counted: true });
  for (const [name, { ok, reason, since }] of Object.entries(accounts)) {
    if (ok) continue;
    const why = reason ?? 'no reason was given';
    troubles.push({ tone: 'bad', text: `Account ${name} cannot be used: ${why}. Its events wait.`, since });
  }
  return troubles;
}

/** @param {Readiness | Error} readiness */
function rulesWord(readiness) {
  if (readiness instanceof Error || typeof readiness.rules !== 'number') return [];
  return [
    element(
      'span',
      { class: 'rule-count' },
      ` · ${readiness.rules} ${readiness.rules === 1 ? 'rule' : 'rules'}`,
    ),
  ];
}

/**
 * Whoever runs several accounts can choose one.
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
