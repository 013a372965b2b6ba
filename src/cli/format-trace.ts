import { deviceOf } from '../events/webhook-types.js';
import type { AlertTrace, FactTrace, RuleTrace, Trace } from '../journal/trace.js';
import type { StepRecord } from '../queues/jobs.js';
import { show } from '../rules/values.js';
import type { ApiCall } from '../simplemdm/call-log.js';
import { SHORT_ID, statusText } from './format-events.js';
import { columns, harmless } from './terminal.js';
import type { Paint } from './terminal.js';

/** The trace of an event for a person: what came in, what was looked up, which rule matched and why, what was done. */
export function formatTrace(trace: Trace, paint: Paint): string {
  const lines = [
    `${paint('bold', trace.type)}  ${statusText(trace.status, paint)}  ${paint('dim', `${trace.id.slice(0, SHORT_ID)}  account ${trace.account}`)}`,
    ...section('came in', cameIn(trace), paint),
    ...section(
      'looked up',
      Object.entries(trace.facts).map(([name, fact]) => factRow(name, fact, paint)),
      paint,
    ),
    ...section('rules', decisionRows(trace, paint), paint),
    ...trace.runs.flatMap((run) =>
      section(
        `did, by ${run.rule}`,
        run.steps.flatMap((step, index) => [
          stepRow(step, `${index + 1}`, paint),
          ...(step.each ?? []).map((item, position) => stepRow(item, `${index + 1}.${position + 1}`, paint)),
        ]),
        paint,
      ),
    ),
  ];
  lines.push(
    ...section(
      'told',
      trace.alerts.map((alert) => alertRow(alert, paint)),
      paint,
    ),
  );
  if (trace.reason !== undefined)
    lines.push(...section('why it stands there', [[harmless(trace.reason)]], paint));
  return lines.join('\n');
}

function section(title: string, rows: readonly (readonly string[])[], paint: Paint): string[] {
  if (rows.length === 0) return [];
  return [`  ${paint('dim', title)}`, ...columns(rows).map((line) => `    ${line}`)];
}

function cameIn(trace: Trace): string[][] {
  const device = deviceOf(trace);
  const about =
    device === undefined
      ? show(trace.data)
      : `device ${device.id ?? '(no id yet)'}, serial number ${harmless(device.serialNumber ?? 'unknown')}`;
  return [[`${about}, at ${trace.at}${trace.source === 'webhook' ? '' : ` (${trace.source})`}`]];
}

function factRow(name: string, fact: FactTrace, paint: Paint): string[] {
  const status = {
    found: paint('green', 'found'),
    missing: paint('yellow', 'no such thing'),
    failed: paint('red', 'failed'),
  };
  return [
    name,
    status[fact.status],
    `${fact.durationMs} ms`,
    fact.calls.map(callText).join(', ') || '(from memory)',
  ];
}

function decisionRows({ decisions, processing, type }: Trace, paint: Paint): string[][] {
  if (decisions.length === 0 && processing?.state === 'done') return [[`none listens for ${type}`]];
  return decisions.map((decision) => decisionRow(decision, paint));
}

function decisionRow({ rule, verdict, reason }: RuleTrace, paint: Paint): string[] {
  const mark = {
    matched: paint('green', '✔ matched'),
    not_matched: paint('gray', '· no match'),
    error: paint('red', '✘ error'),
    waiting: paint('yellow', '… waiting'),
    disabled: paint('gray', '- disabled'),
  };
  return [mark[verdict], rule, paint('dim', harmless(reason))];
}

function alertRow({ channel, status, title, reason }: AlertTrace, paint: Paint): string[] {
  const mark: Record<AlertTrace['status'], string> = {
    queued: paint('yellow', '… waits'),
    sent: paint('green', '✔ sent'),
    repeated: paint('gray', '- told before'),
    silenced: paint('gray', '- silenced'),
    failed: paint('red', '✘ not delivered'),
  };
  return [mark[status], channel, harmless(title), paint('dim', harmless(reason ?? ''))];
}

function stepRow(step: StepRecord, place: string, paint: Paint): string[] {
  const mark: Record<StepRecord['status'], string> = {
    pending: paint('gray', '- pending'),
    running: paint('cyan', '… running'),
    waiting: paint('yellow', '… waits'),
    retrying: paint('yellow', '… tried again later'),
    completed: paint('green', '✔ done'),
    skipped: paint('gray', '- skipped'),
    failed: paint('red', '✘ failed'),
  };
  const attempts = step.attempts > 1 ? ` (attempt ${step.attempts})` : '';
  const what =
    step.reason ??
    Object.entries(step.output ?? {})
      .map(([name, value]) => `${name} ${show(value)}`)
      .join(', ');
  const sent = step.calls
    .filter((call) => call.method !== 'GET')
    .map(callText)
    .join(', ');
  return [place, mark[step.status] + attempts, step.action, harmless(what), paint('dim', sent)];
}

function callText({ method, path, status, shared, error }: ApiCall): string {
  return harmless(
    `${method} ${path} → ${status ?? error ?? 'no answer'}${shared === true ? ' (shared)' : ''}`,
  );
}
