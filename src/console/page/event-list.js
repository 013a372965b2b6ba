/* global HTMLElement, URL, location */
/** @import { EventSummary } from '../../journal/trace.js' */
import { byId, element, render } from './dom.js';
import { formatDevice, formatTime, formatType } from './format.js';
import { eventStatusLabel } from './status-labels.js';

const list = byId('event-list', HTMLElement);
const firstSteps = byId('first-steps', HTMLElement);
const noMatch = byId('no-match', HTMLElement);

/**
 * A page of the list.
 *
 * @typedef {{
 *   events: readonly EventSummary[],
 *   view: string,
 *   filtered: boolean,
 *   page: number,
 *   selected: string | undefined,
 * }} EventPageView `view` identifies the page and its filter. Within one view, events that appear later are new.
 */

/** @type {{ view: string | undefined, ids: ReadonlySet<string> }} */
let shown = { view: undefined, ids: new Set() };

/** @param {EventPageView} page */
export function showEvents({ events, view, filtered, page, selected }) {
  const isNew = (/** @type {string} */ id) => shown.view === view && !shown.ids.has(id);
  render(
    list,
    events.map((event) => row(event, isNew(event.id), event.id === selected)),
  );
  shown = { view, ids: new Set(events.map(({ id }) => id)) };
  const empty = events.length === 0;
  firstSteps.hidden = !empty || filtered || page > 1;
  noMatch.hidden = !empty || !firstSteps.hidden;
  noMatch.textContent = page > 1 ? 'There are no older events.' : 'No events match this filter.';
}

/** @param {string | undefined} selected */
export function markSelected(selected) {
  for (const item of list.children) {
    const link = item.querySelector('a');
    if (item.getAttribute('data-key') === selected) link?.setAttribute('aria-current', 'true');
    else link?.removeAttribute('aria-current');
  }
}

/** @param {string} id */
export function focusRow(id) {
  const item = [...list.children].find((candidate) => candidate.getAttribute('data-key') === id);
  item?.querySelector('a')?.focus();
}

/** Shows a new user the URL for SimpleMDM webhooks. */
export function fillFirstSteps() {
  const base = new URL('webhooks/simplemdm/', location.href);
  byId('webhook-url', HTMLElement).textContent = `${base.origin}${base.pathname}WEBHOOK_TOKEN`;
  byId('loopback-hint', HTMLElement).hidden = !/^(localhost|127\.|\[::1\])/.test(location.hostname);
}

/**
 * @param {EventSummary} event
 * @param {boolean} isNew
 * @param {boolean} isSelected
 */
function row(event, isNew, isSelected) {
  const { id, account, type, receivedAt, source, rules, reason, data, warnings, deviceName } = event;
  const device = formatDevice(data);
  const link = element(
    'a',
    { href: `#${id}`, 'aria-current': isSelected ? 'true' : undefined },
    element('span', { class: 'when' }, formatTime(receivedAt)),
    element(
      'span',
      { class: 'type' },
      element('span', { class: 'type-name' }, ...formatType(type)),
      ...(account === 'default' ? [] : [' ', element('span', { class: 'tag' }, account)]),
      ...(source === 'webhook' ? [] : [' ', element('span', { class: 'tag' }, source)]),
      ...(warnings === undefined
        ? []
        : [' ', element('span', { class: 'tag', title: warnings.join('; ') }, 'odd')]),
    ),
    element(
      'span',
      { class: 'device' },
      ...(deviceName === undefined ? [] : [element('span', { class: 'device-name' }, deviceName), ' ']),
      element('span', {}, device ?? '–'),
    ),
    element('span', { class: 'status' }, eventStatusLabel(event)),
    element(
      'span',
      { class: 'rules' },
      ...(rules.length === 0 ? [] : [element('span', {}, rules.join(', '))]),
      ...(reason === undefined ? [] : [element('span', { class: 'why' }, reason)]),
    ),
  );
  return element('li', { 'data-key': id, 'data-new': isNew ? 'true' : undefined }, link);
}
