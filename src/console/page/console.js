/* global AbortController, HTMLButtonElement, HTMLElement, HTMLFormElement, HTMLInputElement, document, window */
/** @import { EventPage } from '../../journal/find-events.js' */
/** @import { ServiceState } from '../service-state.js' */
/** @import { Readiness } from './readiness.js' */
import { ApiProblem, adminToken, callApi, fetchReadiness } from './api.js';
import { showAttention, startAttention } from './attention.js';
import { byId } from './dom.js';
import { fillFirstSteps, focusRow, markSelected, showEvents } from './event-list.js';
import { filterQuery, startFilters } from './filters.js';
import { isQueueView, refreshQueue } from './queue-view.js';
import { showReadiness } from './readiness.js';
import { isRulesView, refreshRules } from './rules-view.js';
import { deselect, openTrace, refreshTrace, selectedEvent, startReplay } from './trace-panel.js';

const REFRESH_MS = 2000;
const PAGE_SIZE = '25';

const main = byId('main', HTMLElement);
const tokenSection = byId('token-section', HTMLElement);
const tokenField = byId('token', HTMLInputElement);
const tokenError = byId('token-error', HTMLElement);
const signOut = byId('sign-out', HTMLButtonElement);
const views = byId('views', HTMLElement);
const eventsSection = byId('events-section', HTMLElement);
const rulesSection = byId('rules-section', HTMLElement);
const queueSection = byId('queue-section', HTMLElement);
const attention = byId('attention', HTMLElement);
const listError = byId('list-error', HTMLElement);
const pager = byId('pager', HTMLElement);
const newest = byId('newest', HTMLButtonElement);
const newer = byId('newer', HTMLButtonElement);
const older = byId('older', HTMLButtonElement);

/** The cursors of the previous pages and of this page; empty on the first page. @type {string[]} */
let cursors = [];
/** The cursor of the next page. @type {string | undefined} */
let nextCursor;
/** The API returned 401, and there is no new token yet. */
let needsToken = false;
let timer = 0;
let currentRefresh = new AbortController();

/** Fetches everything on the page now and every two seconds. Cancels a refresh that is still active. */
async function refresh() {
  currentRefresh.abort();
  window.clearTimeout(timer);
  currentRefresh = new AbortController();
  const { signal } = currentRefresh;
  try {
    await Promise.all([refreshReadiness(signal), needsToken ? undefined : refreshView(signal)]);
  } finally {
    // A hidden tab is refreshed when it becomes visible again.
    if (!signal.aborted && !document.hidden) timer = window.setTimeout(refresh, REFRESH_MS);
  }
}

/** Whether data that needs the token is shown or will be. */
function isSignedIn() {
  return !main.hidden || adminToken.value !== undefined;
}

/** @param {AbortSignal} signal */
async function refreshReadiness(signal) {
  try {
    showReadiness(/** @type {Readiness} */ (await fetchReadiness(signal)), isSignedIn());
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
      refreshMain(signal),
      selected === undefined ? undefined : refreshTrace(selected, signal),
    ]);
    listError.textContent = '';
    showData();
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status === 401)
      askForToken(adminToken.value === undefined ? '' : 'This token is no longer valid.');
    else {
      // The banner shows when the service or Redis is unavailable.
      listError.textContent = error.status === 503 || error.status === 0 ? '' : error.message;
      main.hidden = false;
    }
  }
}

/** @param {AbortSignal} signal */
function refreshMain(signal) {
  if (isRulesView()) return refreshRules(signal);
  return isQueueView() ? refreshQueue(signal) : refreshList(signal);
}

/** @param {AbortSignal} signal */
async function refreshAttention(signal) {
  showAttention(/** @type {ServiceState} */ (await callApi('api/status', { signal })));
}

/** @param {AbortSignal} signal */
async function refreshList(signal) {
  const query = filterQuery();
  const filtered = query.size > 0;
  query.set('limit', PAGE_SIZE);
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const view = query.toString();
  const page = /** @type {EventPage} */ (await callApi(`api/events?${view}`, { signal }));
  nextCursor = page.cursor;
  const number = cursors.length + 1;
  showEvents({
    events: page.events,
    view,
    filtered,
    page: number,
    selected: selectedEvent(),
  });
  pager.hidden = number === 1 && nextCursor === undefined;
  newest.disabled = number === 1;
  newer.disabled = number === 1;
  older.disabled = nextCursor === undefined;
  byId('page-number', HTMLElement).textContent = number === 1 ? 'newest, live' : `page ${number}`;
}

function showData() {
  needsToken = false;
  tokenSection.hidden = true;
  main.hidden = false;
  views.hidden = false;
  attention.hidden = false;
  signOut.hidden = adminToken.value === undefined;
}

/** @param {string} reason */
function askForToken(reason) {
  needsToken = true;
  adminToken.clear();
  main.hidden = true;
  views.hidden = true;
  attention.hidden = true;
  signOut.hidden = true;
  tokenError.textContent = reason;
  if (!tokenSection.hidden) return;
  tokenSection.hidden = false;
  tokenField.focus();
}

/** @param {(string | undefined)[]} newCursors */
function goToPage(newCursors) {
  cursors = newCursors.filter((cursor) => cursor !== undefined);
  void refresh();
}

function applyUrl() {
  const selected = selectedEvent();
  openTrace(selected);
  markSelected(selected);
  rulesSection.hidden = !isRulesView();
  queueSection.hidden = !isQueueView();
  eventsSection.hidden = isRulesView() || isQueueView();
  const current = isRulesView() ? '#rules' : isQueueView() ? '#queue' : '';
  for (const link of views.querySelectorAll('a')) {
    if (link.hash === current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (!needsToken) void refresh();
}

function closeTrace() {
  const id = selectedEvent();
  deselect();
  applyUrl();
  if (id !== undefined) focusRow(id);
}

byId('token-form', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = tokenField.value.trim();
  try {
    // A header can contain Latin-1 only, so other characters cannot be in the token.
    if (!/^[\x21-\xff]+$/.test(token)) throw new ApiProblem(401, '');
    await callApi('api/events?limit=1', { token });
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    // A 503 means that the token is valid: the service checks the token before Redis.
    if (error.status !== 503) {
      tokenError.textContent =
        error.status === 401
          ? 'This is not the ADMIN_TOKEN of the service. Check for missing letters and extra spaces.'
          : error.message;
      tokenField.select();
      return;
    }
  }
  adminToken.set(token);
  tokenField.value = '';
  needsToken = false;
  showData();
  void refresh();
});

signOut.addEventListener('click', () => {
  adminToken.clear();
  // Removes all data from the page.
  window.location.reload();
});
newest.addEventListener('click', () => goToPage([]));
newer.addEventListener('click', () => goToPage(cursors.slice(0, -1)));
older.addEventListener('click', () => goToPage([...cursors, nextCursor]));
byId('close-trace', HTMLElement).addEventListener('click', closeTrace);
document.addEventListener('keydown', (event) => {
  // Fields and dialogs handle Escape themselves.
  const isHandled =
    event.target instanceof HTMLInputElement || document.querySelector('dialog[open]') !== null;
  if (event.key === 'Escape' && !isHandled && selectedEvent() !== undefined) closeTrace();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refresh();
});
window.addEventListener('hashchange', applyUrl);

fillFirstSteps();
startFilters(() => goToPage([]));
startReplay(() => void refresh());
startAttention(() => void refresh());
applyUrl();
