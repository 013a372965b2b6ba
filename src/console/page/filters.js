/* global FormData, HTMLElement, HTMLFormElement, URLSearchParams, history, location, window */
import { byId } from './dom.js';

const form = byId('filters', HTMLFormElement);
const clear = byId('clear-filters', HTMLElement);

const NAMES = ['type', 'device', 'status', 'rule', 'reason', 'account'];
/** Avoids a request for every letter. */
const TYPING_DELAY_MS = 300;

/** The filter as query parameters of the API. */
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
 * Fills the form from the URL of the page. The URL contains the filter, so that it can be bookmarked and shared.
 *
 * @param {() => void} onChange
 */
export function startFilters(onChange) {
  const fromUrl = new URLSearchParams(location.search);
  for (const name of NAMES) {
    const field = form.elements.namedItem(name);
    const value = fromUrl.get(name);
    if (value !== null && field !== null && 'value' in field) field.value = value;
  }
  let timer = 0;
  const onInput = () => {
    window.clearTimeout(timer);
    updateUrl();
    onChange();
  };
  form.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(onInput, TYPING_DELAY_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onInput();
  });
  // The browser clears the fields after this event.
  form.addEventListener('reset', () => window.setTimeout(onInput));
  updateUrl();
}

function updateUrl() {
  const query = filterQuery();
  clear.hidden = query.size === 0;
  const search = query.size === 0 ? '' : `?${query.toString()}`;
  history.replaceState(null, '', `${location.pathname}${search}${location.hash}`);
}
