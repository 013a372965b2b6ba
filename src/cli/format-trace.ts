import { deviceReferenceOf } from '../events/webhook-types.js';
import type { AlertTrace, FactTrace, RuleTrace, Trace } from '../journal/trace.js';
import { show } from '../rules/model/values.js';
import { callText } from './format-call.js';
import { SHORT_ID, statusText } from './format-events.js';
import { formatRun } from './format-run.js';
import { columns, escapeControlCharacters } from './terminal.js';
import type { Paint } from './terminal.js';

/** The trace of an event for a person: why it stands there, what came in, what was looked up, which rule matched and why, what was done. */
export function formatTrace(trace: Trace, paint: Paint): string {
  return [
    `${paint('bold', trace.type)}  ${statusText(trace, paint)}  ${paint('dim', `${trace.id.slice(0, SHORT_ID)}  account ${trace.account}`)}`,
    ...section('why it stands there', whyRows(trace), paint),
    ...section('came in', cameIn(trace), paint),
    ...section(
      'looked up',
      Object.entries(trace.facts).map(([name, fact]) => factRow(name, fact, paint)),
      paint,
    ),
    ...section('rules', decisionRows(trace, paint), paint),
    ...trace.runs.flatMap((run) => formatRun(run, trace, paint)),
    ...section(
      'told',
      trace.alerts.map((alert) => alertRow(alert, paint)),
      paint,
    ),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly string[])[], paint: Paint): string[] {
  if (rows.length === 0) return [];
  return [`  ${paint('dim', title)}`, ...columns(rows).map((line) => `    ${line}`)];
}

/** What keeps the event, and what keeps each of its runs. */
function whyRows({ processing, runs }: Trace): string[][] {
  const ofEvent =
    processing?.reason === undefined ? [] : [['the event', escapeControlCharacters(processing.reason)]];
  const ofRuns = runs.flatMap(({ rule, reason }) =>
    reason === undefined ? [] : [[rule, escapeControlCharacters(reason)]],
  );
  return [...ofEvent, ...ofRuns];
}

function cameIn(trace: Trace): string[][] {
  const device = deviceReferenceOf(trace);
  const name = trace.deviceName === undefined ? '' : `${escapeControlCharacters(trace.deviceName)}, `;
  const about =
    device === undefined
      ? show(trace.data)
      : `${name}device ${device.id ?? '(no id yet)'}, serial number ${escapeControlCharacters(device.serialNumber ?? 'unknown')}`;
  return [[`${about}, at ${trace.at}${trace.source === 'webhook' ? '' : ` (${trace.source})`}`]];
}

function factRow(name: string, { status, durationMs, calls, error }: FactTrace, paint: Paint): string[] {
  const mark: Record<FactTrace['status'], string> = {
    found: paint('green', 'found'),
    missing: paint('yellow', 'no such thing'),
    failed: paint('red', 'failed'),
  };
  const why = error === undefined ? '' : `: ${escapeControlCharacters(error)}`;
  return [
    name,
    mark[status],
    `${durationMs} ms`,
    // The error of a call that failed is that of the fact.
    (calls.map((call) => callText(call, error)).join(', ') || '(from memory)') + why,
  ];
}

function decisionRows({ decisions, processing, type }: Trace, paint: Paint): string[][] {
  if (decisions.length === 0 && processing?.state === 'completed') return [[`none listens for ${type}`]];
  return decisions.map((decision) => decisionRow(decision, paint));
}

function decisionRow({ rule, verdict, reason, ownAction }: RuleTrace, paint: Paint): string[] {
  const mark: Record<RuleTrace['verdict'], string> = {
    matched: paint('green', '✔ matched'),
    not_matched: paint('gray', ownAction === true ? '- passed by' : '· no match'),
    error: paint('red', '✘ error'),
    waiting: paint('yellow', '… waiting'),
    disabled: paint('gray', '- disabled'),
  };
  return [mark[verdict], rule, paint('dim', escapeControlCharacters(reason))];
}

function alertRow({ channel, status, title, reason }: AlertTrace, paint: Paint): string[] {
  const mark: Record<AlertTrace['status'], string> = {
    queued: paint('yellow', '… waits'),
    counted: paint('gray', '+ counted'),
    sent: paint('green', '✔ sent'),
    repeated: paint('gray', '- told before'),
    silenced: paint('gray', '- silenced'),
    failed: paint('red', '✘ not delivered'),
  };
  return [
    mark[status],
    channel,
    escapeControlCharacters(title),
    paint('dim', escapeControlCharacters(reason ?? '')),
  ];
}
