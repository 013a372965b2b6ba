/* global HTMLButtonElement, HTMLElement, HTMLDialogElement, history, location, document */
/** @import { Replay } from '../replay.js' */
/** @typedef {Exclude<Replay, { kind: 'under_way' | 'nothing_failed' }>} Taken What the API answers; one that did nothing is a 409. */
/** @import { Trace } from '../../journal/trace.js' */
import { ApiProblem, askApi } from './api.js';
import { byId, element, showIn } from './dom.js';
import { traceView } from './trace-view.js';
import { deviceWord, typeWord } from './words.js';

const columns = byId('main', HTMLElement);
const section = byId('trace-section', HTMLElement);
const title = byId('trace-title', HTMLElement);
const body = byId('trace-body', HTMLElement);
const replayButton = byId('replay', HTMLButtonElement);
const replayResult = byId('replay-result', HTMLElement);
const dialog = byId('replay-dialog', HTMLDialogElement);

/** The trace that is on the page, once it has come. @type {Trace | undefined} */
let shown;

/** The event that the address of the page names. */
export function selectedEvent() {
  return /^#([0-9a-f]{6,64})$/.exec(location.hash)?.[1];
}

/** Takes the event out of the address; the filter stays. */
export function deselect() {
  history.pushState(null, '', location.pathname + location.search);
}

/**
 * Makes room for the trace of an event, or for none.
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
  showIn(body, [element('p', { class: 'hint' }, 'loading…')]);
  if (id !== undefined) title.focus({ preventScroll: false });
}

/**
 * Fetches the trace and shows what is new in it.
 *
 * @param {string} id
 * @param {AbortSignal} signal
 */
export async function refreshTrace(id, signal) {
  try {
    const trace = /** @type {Trace} */ (await askApi(`api/events/${id}`, { signal }));
    shown = trace;
    if (title.textContent !== trace.type) title.replaceChildren(...typeWord(trace.type));
    replayButton.hidden = trace.status !== 'failed';
    showIn(body, traceView(trace));
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
    shown = undefined;
    replayButton.hidden = true;
    title.textContent = 'Not found';
    showIn(body, [element('p', { class: 'notice' }, error.message)]);
  }
}

/**
 * Asks before it replays, for a replay acts on devices.
 *
 * @param {() => void} onReplayed
 */
export function startReplay(onReplayed) {
  replayButton.addEventListener('click', () => {
    if (shown === undefined) return;
    const device = deviceWord(shown.data);
    byId('replay-about', HTMLElement).textContent =
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
    const done = /** @type {Taken} */ (await askApi(`api/events/${id}/replay`, { method: 'POST' }));
    report(...wordsFor(done));
  } catch (error) {
    report(`The replay was not taken: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    replayButton.disabled = false;
  }
}

/** @param {...(Node | string)} words */
function report(...words) {
  replayResult.replaceChildren(...words);
  replayResult.hidden = false;
  // The button may be gone a moment later; whoever pressed it must not be thrown to the top of the page.
  if (document.activeElement === replayButton || document.activeElement === document.body) title.focus();
}

/**
 * @param {Taken} done
 * @returns {(Node | string)[]}
 */
function wordsFor(done) {
  if (done.kind === 'repeated')
    return ['Taken once more as ', element('a', { href: `#${done.id}` }, done.id.slice(0, 12)), '.'];
  const resumed = [...(done.event ? ['the event'] : []), ...done.rules.map((rule) => `the run of ${rule}`)];
  if (resumed.length > 0) return [`Replayed: ${resumed.join(', ')}.`];
  const command = `mdm-reflex events replay ${done.id.slice(0, 12)} --everything`;
  return [
    'Nothing is left to resume: the queue has it no more. To take the event once more as a new one: ',
    element('code', {}, command),
  ];
}
