/* global FormData, HTMLElement, HTMLFormElement, URLSearchParams, history, location, window */
import { byId } from './dom.js';

const form = byId('filters', HTMLFormElement);
const clear = byId('clear-filters', HTMLElement);

const NAMES = ['type', 'device', 'status', 'account'];
/** Long enough not to ask for every letter. */
const TYPING_MS = 300;

/** What narrows the list, as the API takes it. */
export function filterQuery() {
  const query = new URLSearchParams();
  const entered = new FormData(form);
  for (const name of NAMES) {
    const value = entered.get(name);
    if (typeof value === 'string' && value.trim() !== '') query.set(name, value.trim());
  }
  return query;
}

/**
 * Fills the form from the address of the page, where the filter is kept so that it can be bookmarked and passed on.
 *
 * @param {() => void} onChange
 */
export function startFilters(onChange) {
  const asked = new URLSearchParams(location.search);
  for (const name of NAMES) {
    const field = form.elements.namedItem(name);
    const value = asked.get(name);
    if (value !== null && field !== null && 'value' in field) field.value = value;
  }
  let timer = 0;
  const changed = () => {
    window.clearTimeout(timer);
    remember();
    onChange();
  };
  form.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(changed, TYPING_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    changed();
  });
  // The fields are emptied after this event.
  form.addEventListener('reset', () => window.setTimeout(changed));
  remember();
}

function remember() {
  const query = filterQuery();
  clear.hidden = query.size === 0;
  const search = query.size === 0 ? '' : `?${query.toString()}`;
  history.replaceState(null, '', `${location.pathname}${search}${location.hash}`);
}
