/* global HTMLButtonElement, HTMLElement, HTMLDialogElement, history, location, document */
/** @import { Replay } from '../../runs/replay.js' */
/** @typedef {Extract<Replay, { kind: 'resumed' | 'repeated' }>} AcceptedReplay A replay that does nothing is a 409. */
/** @import { Trace } from '../../journal/trace.js' */
import { ApiProblem, callApi } from './api.js';
import { byId, element, render } from './dom.js';
import { formatDevice, formatType } from './format.js';
import { traceView } from './trace-view.js';

const columns = byId('main', HTMLElement);
const section = byId('trace-section', HTMLElement);
const title = byId('trace-title', HTMLElement);
const body = byId('trace-body', HTMLElement);
const replayButton = byId('replay', HTMLButtonElement);
const replayResult = byId('replay-result', HTMLElement);
const dialog = byId('replay-dialog', HTMLDialogElement);

/** The trace in the panel, once it is loaded. @type {Trace | undefined} */
let shown;

/** The id of the event in the URL of the page. */
export function selectedEvent() {
  return /^#([0-9a-f]{6,64})$/.exec(location.hash)?.[1];
}

/** Removes the event from the URL and keeps the filter. */
export function deselect() {
  history.pushState(null, '', location.pathname + location.search);
}

/**
 * Opens the panel for an event, or closes it.
 *
 * @param {string | undefined} id
 */
export function openTrace(id) {
  section.hidden = id === undefined;
  columns.classList.toggle('has-trace', id !== undefined);
  if (shown?.id === id) return;
  shown = undefined;
  replayButton.hidden = true;
  replayResult.hidden = true;
  title.textContent = 'Event';
  render(body, [element('p', { class: 'hint' }, 'loading…')]);
  if (id !== undefined) title.focus({ preventScroll: false });
}

/**
 * Fetches the trace and updates the panel.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 */
export async function refreshTrace(id, signal) {
  try {
    const trace = /** @type {Trace} */ (await callApi(`api/events/${id}`, { signal }));
    shown = trace;
    if (title.textContent !== trace.type) title.replaceChildren(...formatType(trace.type));
    replayButton.hidden = trace.status !== 'failed';
    render(body, traceView(trace));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
    shown = undefined;
    replayButton.hidden = true;
    title.textContent = 'Not found';
    render(body, [element('p', { class: 'notice' }, error.message)]);
  }
}

/**
 * Handles the replay button, with a confirmation because a replay acts on devices.
 *
 * @param {() => void} onReplayed
 */
export function startReplay(onReplayed) {
  replayButton.addEventListener('click', () => {
    if (shown === undefined) return;
    const device = formatDevice(shown.data);
    byId('replay-text', HTMLElement).textContent =
      `${shown.type}${device === undefined ? '' : ` of device ${device}`}: ${shown.reason ?? 'it failed'}`;
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', () => {
    const trace = shown;
    if (dialog.returnValue !== 'replay' || trace === undefined) return;
    void replay(trace.id).then(onReplayed);
  });
}

/** @param {string} id */
async function replay(id) {
  replayButton.disabled = true;
  try {
    const accepted = /** @type {AcceptedReplay} */ (
      await callApi(`api/events/${id}/replay`, { method: 'POST' })
    );
    report(...replayReport(accepted));
  } catch (error) {
    report(`Replay failed: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    replayButton.disabled = false;
  }
}

/** @param {...(Node | string)} content */
function report(...content) {
  replayResult.replaceChildren(...content);
  replayResult.hidden = false;
  // The button may disappear. Its focus must not fall back to the top of the page.
  if (document.activeElement === replayButton || document.activeElement === document.body) title.focus();
}

/**
 * @param {AcceptedReplay} accepted
 * @returns {(Node | string)[]}
 */
function replayReport(accepted) {
  if (accepted.kind === 'repeated')
    return ['Queued again as ', element('a', { href: `#${accepted.id}` }, accepted.id.slice(0, 12)), '.'];
  const resumed = [
    ...(accepted.event ? ['the event'] : []),
    ...accepted.rules.map((rule) => `the run of ${rule}`),
  ];
  if (resumed.length > 0) return [`Replayed: ${resumed.join(', ')}.`];
  const command = `mdm-reflex events replay ${accepted.id.slice(0, 12)} --everything`;
  return [
    'Nothing to resume: the queue no longer has the jobs. To process the event again as a new one, run ',
    element('code', {}, command),
  ];
}
