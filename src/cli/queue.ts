import { displayTime } from '../alerts/display-text.js';
import type { Settings } from '../config/settings.js';
import { queueState } from '../console/queue-state.js';
import type { LaneEstimate, QueueRow, QueueState } from '../console/queue-state.js';
import type { SweepState } from '../console/sweep-state.js';
import type { Shards } from '../queues/shards.js';
import { shortDuration } from './short-duration.js';
import { columns, escapeControlCharacters, jsonText } from './terminal.js';

/** `mdm-reflex queue`: what waits, for what, and when it is done. */
export async function showQueue(shards: Shards, settings: Settings, json: boolean): Promise<string> {
  const state = await queueState(shards, settings.API_RATE);
  return json ? jsonText(state) : formatQueue(state);
}

/** The state of the queues as tables. */
export function formatQueue({ at, apiRate, rows, sweeps, estimates }: QueueState): string {
  if (rows.length === 0 && sweeps.length === 0) return 'nothing waits';
  const now = Date.parse(at);
  const tables = [
    table(['COUNT', 'QUEUE', 'LANE', 'ACCOUNT', 'RULE', 'OLDEST (UTC)', 'REASON'], rows.map(cellsOfRow)),
    table(['SWEEP OF', 'ACCOUNT', 'STATE', 'DEVICES', 'EVENTS', 'SCHEDULED (UTC)'], sweeps.map(cellsOfSweep)),
    table(
      ['ACCOUNT', 'LANE', 'JOBS', `API CALLS (${apiRate}/S)`, 'DONE IN'],
      estimates.map((estimate) => cellsOfEstimate(estimate, now)),
    ),
  ];
  return tables.filter((text) => text !== '').join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : columns([head, ...rows]).join('\n');
}

function cellsOfRow({ count, isEstimate, queue, lane, account, rule, oldest, text }: QueueRow): string[] {
  return [
    isEstimate ? `about ${count}` : String(count),
    queue,
    lane,
    escapeControlCharacters(account),
    escapeControlCharacters(rule ?? '-'),
    displayTime(oldest),
    text,
  ];
}

function cellsOfSweep({
  rule,
  account,
  state,
  evaluated,
  devices,
  emitted,
  scheduledAt,
}: SweepState): string[] {
  return [
    escapeControlCharacters(rule),
    escapeControlCharacters(account),
    state,
    devices === undefined ? String(evaluated) : `${evaluated} of about ${Math.max(devices, evaluated)}`,
    String(emitted),
    displayTime(scheduledAt),
  ];
}

function cellsOfEstimate({ account, lane, jobs, calls, doneAt }: LaneEstimate, now: number): string[] {
  return [
    escapeControlCharacters(account),
    lane,
    String(jobs),
    calls === undefined ? 'unknown' : `about ${calls}`,
    doneAt === undefined
      ? 'unknown: no job of this kind has finished yet'
      : `about ${shortDuration(Date.parse(doneAt) - now)}`,
  ];
}
