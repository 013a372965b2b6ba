import { deviceReferenceOf } from '../events/webhook-types.js';
import type { DeviceReference } from '../events/webhook-types.js';
import type { AlertTrace, FactTrace, RuleTrace, Trace } from '../journal/trace.js';
import { show } from '../rules/model/values.js';
import { callText } from './format-call.js';
import { SHORT_ID, statusText } from './format-events.js';
import { formatRun } from './format-run.js';
import { columns, escapeControlCharacters, reasonText } from './terminal.js';
import type { Paint } from './terminal.js';

/** The trace of an event as text: reasons of its status, event, facts, verdicts, runs, alerts. */
export function formatTrace(trace: Trace, paint: Paint): string {
  return [
    `${paint('bold', escapeControlCharacters(trace.type))}  ${statusText(trace, paint)}  ${paint('dim', `${trace.id.slice(0, SHORT_ID)}  account ${trace.account}`)}`,
    ...section('reasons', reasonRows(trace), paint),
    ...section('received', receivedRows(trace), paint),
    ...section('warnings', webhookWarningRows(trace, paint), paint),
    ...section(
      'facts',
      Object.entries(trace.facts).flatMap(([name, fact]) => [
        factRow(name, fact, paint),
        ...warningRows(fact, paint),
      ]),
      paint,
    ),
    ...section('rules', decisionRows(trace, paint), paint),
    ...trace.runs.flatMap((run) => formatRun(run, trace, paint)),
    ...section(
      'alerts',
      trace.alerts.map((alert) => alertRow(alert, paint)),
      paint,
    ),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly string[])[], paint: Paint): string[] {
  if (rows.length === 0) return [];
  return [`  ${paint('dim', title)}`, ...columns(rows).map((line) => `    ${line}`)];
}

/** Why the event waits or failed, and why each of its runs does. */
function reasonRows({ processing, runs }: Trace): string[][] {
  const ofEvent = processing?.reason === undefined ? [] : [['the event', reasonText(processing)]];
  const ofRuns = runs.flatMap((run) =>
    run.reason === undefined ? [] : [[escapeControlCharacters(run.rule), reasonText(run)]],
  );
  return [...ofEvent, ...ofRuns];
}

function receivedRows(trace: Trace): string[][] {
  const device = deviceReferenceOf(trace);
  const name = trace.deviceName === undefined ? '' : `${escapeControlCharacters(trace.deviceName)}, `;
  const subject =
    device === undefined
      ? escapeControlCharacters(show(trace.data))
      : `${name}device ${device.id ?? '(no id yet)'}, ${escapeControlCharacters(deviceNameOf(device))}`;
  return [
    [
      `${subject}, at ${escapeControlCharacters(trace.at)}${trace.source === 'webhook' ? '' : ` (${trace.source})`}`,
    ],
  ];
}

function deviceNameOf({ serialNumber, udid }: DeviceReference): string {
  return serialNumber === undefined && udid !== undefined
    ? `UDID ${udid}`
    : `serial number ${serialNumber ?? 'unknown'}`;
}

/** What was odd about the webhook, and the fields that the event does not have. */
function webhookWarningRows({ warnings = [], original }: Trace, paint: Paint): string[][] {
  return [
    ...warnings.map((warning) => [paint('yellow', '!'), escapeControlCharacters(warning)]),
    ...(original === undefined ? [] : [['', paint('dim', `as sent: ${show(original)}`)]]),
  ];
}

function factRow(
  name: string,
  { status, durationMs, calls, error, code }: FactTrace,
  paint: Paint,
): string[] {
  const mark: Record<FactTrace['status'], string> = {
    found: paint('green', 'found'),
    missing: paint('yellow', 'missing'),
    failed: paint('red', 'failed'),
  };
  const suffix = error === undefined ? '' : `: ${reasonText({ reason: error, code })}`;
  return [
    name,
    mark[status],
    `${durationMs} ms`,
    // The error of a failed call is the error of the fact.
    (calls.map((call) => callText(call, error)).join(', ') || '(cached)') + suffix,
  ];
}

function warningRows({ warnings = [] }: FactTrace, paint: Paint): string[][] {
  return warnings.map((text) => ['', paint('yellow', 'warning'), '', escapeControlCharacters(text)]);
}

function decisionRows({ decisions, processing, type }: Trace, paint: Paint): string[][] {
  if (decisions.length === 0 && processing?.state === 'completed')
    return [[`no rule listens for ${escapeControlCharacters(type)}`]];
  return decisions.map((decision) => decisionRow(decision, paint));
}

function decisionRow({ rule, verdict, reason, code, ownAction }: RuleTrace, paint: Paint): string[] {
  const mark: Record<RuleTrace['verdict'], string> = {
    matched: paint('green', '✔ matched'),
    cleared: paint('green', '✔ cleared'),
    not_matched: paint('gray', ownAction === true ? '- ignored' : '· no match'),
    error: paint('red', '✘ error'),
    waiting: paint('yellow', '… waiting'),
    disabled: paint('gray', '- disabled'),
  };
  return [mark[verdict], escapeControlCharacters(rule), paint('dim', reasonText({ reason, code }))];
}

function alertRow({ channel, status, title, reason, code }: AlertTrace, paint: Paint): string[] {
  const mark: Record<AlertTrace['status'], string> = {
    queued: paint('yellow', '… queued'),
    counted: paint('gray', '+ counted'),
    sent: paint('green', '✔ sent'),
    repeated: paint('gray', '- repeated'),
    silenced: paint('gray', '- silenced'),
    skipped: paint('gray', '- skipped'),
    failed: paint('red', '✘ not delivered'),
  };
  return [
    mark[status],
    escapeControlCharacters(channel),
    escapeControlCharacters(title),
    paint('dim', reasonText({ reason, code })),
  ];
}
