/* global AbortController, HTMLButtonElement, HTMLElement, HTMLFormElement, HTMLInputElement, document, window */
/** @import { EventPage } from '../../journal/find-events.js' */
/** @import { ServiceState } from '../service-state.js' */
/** @import { Readiness } from './readiness.js' */
import { ApiProblem, adminToken, askApi, askReadiness } from './api.js';
import { showAttention, startAttention } from './attention.js';
import { byId } from './dom.js';
import { fillFirstSteps, focusRow, markSelected, showEvents } from './event-list.js';
import { filterQuery, startFilters } from './filters.js';
import { deselect, openTrace, refreshTrace, selectedEvent, startReplay } from './open-trace.js';
import { showReadiness } from './readiness.js';
import { isRulesView, refreshRules } from './rules-view.js';

const REFRESH_MS = 2000;
const PAGE_SIZE = '25';

const main = byId('main', HTMLElement);
const tokenSection = byId('token-section', HTMLElement);
const tokenField = byId('token', HTMLInputElement);
const tokenError = byId('token-error', HTMLElement);
const forgetToken = byId('forget-token', HTMLButtonElement);
const views = byId('views', HTMLElement);
const eventsSection = byId('events-section', HTMLElement);
const rulesSection = byId('rules-section', HTMLElement);
const attention = byId('attention', HTMLElement);
const listError = byId('list-error', HTMLElement);
const pager = byId('pager', HTMLElement);
const newest = byId('newest', HTMLButtonElement);
const newer = byId('newer', HTMLButtonElement);
const older = byId('older', HTMLButtonElement);

/** Where the pages before this one ended: empty on the first page. @type {string[]} */
let cursors = [];
/** Where this page ends. @type {string | undefined} */
let nextCursor;
/** The API has said 401 and nobody has given a better token yet. */
let lockedOut = false;
let timer = 0;
let round = new AbortController();

/** Asks for everything on the page anew, and again in two seconds; what is still under way from before is dropped. */
async function refresh() {
  round.abort();
  window.clearTimeout(timer);
  round = new AbortController();
  const { signal } = round;
  try {
    await Promise.all([refreshReadiness(signal), lockedOut ? undefined : refreshView(signal)]);
  } finally {
    // Nobody looks at a hidden tab; it is refreshed when it shows again.
    if (!signal.aborted && !document.hidden) timer = window.setTimeout(refresh, REFRESH_MS);
  }
}

/** Whether what the token shows is there, or about to come. */
function isSignedIn() {
  return !main.hidden || adminToken.value !== undefined;
}

/** @param {AbortSignal} signal */
async function refreshReadiness(signal) {
  try {
    showReadiness(/** @type {Readiness} */ (await askReadiness(signal)), isSignedIn());
  } catch (error) {
    if (!signal.aborted)
      showReadiness(error instanceof Error ? error : new Error(String(error)), isSignedIn());
  }
}

/** @param {AbortSignal} signal */
async function refreshView(signal) {
  const selected = selectedEvent();
  try {
    await Promise.all([
      refreshAttention(signal),
      isRulesView() ? refreshRules(signal) : refreshList(signal),
      selected === undefined ? undefined : refreshTrace(selected, signal),
    ]);
    listError.textContent = '';
    letIn();
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status === 401)
      lockOut(adminToken.value === undefined ? '' : 'This token is no longer accepted.');
    else {
      // The banner already tells of a service that is away or cannot reach Redis.
      listError.textContent = error.status === 503 || error.status === 0 ? '' : error.message;
      main.hidden = false;
    }
  }
}

/** @param {AbortSignal} signal */
async function refreshAttention(signal) {
  showAttention(/** @type {ServiceState} */ (await askApi('api/status', { signal })));
}

/** @param {AbortSignal} signal */
async function refreshList(signal) {
  const query = filterQuery();
  const narrowed = query.size > 0;
  query.set('limit', PAGE_SIZE);
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const view = query.toString();
  const page = /** @type {EventPage} */ (await askApi(`api/events?${view}`, { signal }));
  nextCursor = page.cursor;
  const number = cursors.length + 1;
  showEvents({
    events: page.events,
    view,
    narrowed,
    page: number,
    more: nextCursor !== undefined,
    selected: selectedEvent(),
  });
  pager.hidden = number === 1 && nextCursor === undefined;
  newest.disabled = number === 1;
  newer.disabled = number === 1;
  older.disabled = nextCursor === undefined;
  byId('page-number', HTMLElement).textContent = number === 1 ? 'newest, live' : `page ${number}`;
}

function letIn() {
  lockedOut = false;
  tokenSection.hidden = true;
  main.hidden = false;
  views.hidden = false;
  attention.hidden = false;
  forgetToken.hidden = adminToken.value === undefined;
}

/** @param {string} reason */
function lockOut(reason) {
  lockedOut = true;
  adminToken.forget();
  main.hidden = true;
  views.hidden = true;
  attention.hidden = true;
  forgetToken.hidden = true;
  tokenError.textContent = reason;
  if (!tokenSection.hidden) return;
  tokenSection.hidden = false;
  tokenField.focus();
}

/** @param {(string | undefined)[]} changed */
function turnTo(changed) {
  cursors = changed.filter((cursor) => cursor !== undefined);
  void refresh();
}

function followAddress() {
  const selected = selectedEvent();
  openTrace(selected);
  markSelected(selected);
  eventsSection.hidden = isRulesView();
  rulesSection.hidden = !isRulesView();
  for (const link of views.querySelectorAll('a')) {
    if ((link.hash === '#rules') === isRulesView()) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!lockedOut) void refresh();
}

function closeTrace() {
  const id = selectedEvent();
  deselect();
  followAddress();
  if (id !== undefined) focusRow(id);
}

byId('token-form', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = tokenField.value.trim();
  try {
    // A header carries Latin letters only; anything else cannot be the token.
    if (!/^[\x21-\xff]+$/.test(token)) throw new ApiProblem(401, '');
    await askApi('api/events?limit=1', { token });
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    // Redis being away says that the token was good: the service checks it first.
    if (error.status !== 503) {
      tokenError.textContent =
        error.status === 401
          ? 'This is not the ADMIN_TOKEN of the service. Check it for a missing letter or a stray space.'
          : error.message;
      tokenField.select();
      return;
    }
  }
  adminToken.keep(token);
  tokenField.value = '';
  lockedOut = false;
  letIn();
  void refresh();
});

forgetToken.addEventListener('click', () => {
  adminToken.forget();
  // Nothing of what the token showed stays in the page.
  window.location.reload();
});
newest.addEventListener('click', () => turnTo([]));
newer.addEventListener('click', () => turnTo(cursors.slice(0, -1)));
older.addEventListener('click', () => turnTo([...cursors, nextCursor]));
byId('close-trace', HTMLElement).addEventListener('click', closeTrace);
document.addEventListener('keydown', (event) => {
  // In a field or a dialog it has a meaning already.
  const taken = event.target instanceof HTMLInputElement || document.querySelector('dialog[open]') !== null;
  if (event.key === 'Escape' && !taken && selectedEvent() !== undefined) closeTrace();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
window.addEventListener('hashchange', followAddress);

fillFirstSteps();
startFilters(() => turnTo([]));
startReplay(() => void refresh());
startAttention(() => void refresh());
followAddress();
