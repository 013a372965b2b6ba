import { z } from 'zod';
import type { RunTrace, Trace } from '../journal/trace.js';
import type { ApprovalRecord, AttemptRecord } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';
import { show } from '../rules/model/values.js';
import { callText } from './format-call.js';
import { columns, escapeControlCharacters, reasonText } from './terminal.js';
import type { Paint } from './terminal.js';

/** A run: status and reason, then one line per step. */
export function formatRun(run: RunTrace, { id, alerts }: Trace, paint: Paint): string[] {
  const channelsOf = (place: string): string[] =>
    alerts.flatMap((alert) =>
      // An alert of a replayed step has the number of the replay behind its id.
      alert.id.replace(/\.r\d+$/, '') === `${runId(id, run.rule)}.${place}` ? [alert.channel] : [],
    );
  const rows = run.steps.flatMap((step, index) => {
    const { itemRecords = [], items = [] } = step;
    // The items have their own lines below.
    const shown = step.itemRecords === undefined ? step : { ...step, output: { count: itemRecords.length } };
    return [
      stepRow(shown, `${index + 1}`, run, channelsOf(`${index}`), paint),
      ...itemRecords.map((attempt, position) =>
        stepRow(
          { ...attempt, action: `for ${escapeControlCharacters(itemText(items[position]))}` },
          `${index + 1}.${position + 1}`,
          run,
          channelsOf(`${index}.${position}`),
          paint,
        ),
      ),
    ];
  });
  return [
    `  ${paint('dim', `run of ${escapeControlCharacters(run.rule)}${run.clears === true ? ' (on_clear)' : ''}`)}  ${runStatus(run, paint)}`,
    ...(run.reason === undefined ? [] : [`    ${reasonText(run)}`]),
    ...(run.approvals ?? []).map((approval) => `    ${paint('dim', approvalText(approval))}`),
    ...columns(rows).map((line) => `    ${line}`),
  ];
}

/** Who was asked for what, and the answer. */
function approvalText({ id, place, answer, by, via, address, at, expiresAt }: ApprovalRecord): string {
  const what = `approval of ${place === 'run' ? 'the run' : `step ${Number(place) + 1}`}`;
  if (answer === undefined) return `${what}: open until ${expiresAt} (${id})`;
  const who = [by, via, address].filter((part) => part !== undefined).join(', ');
  return escapeControlCharacters(`${what}: ${answer}${who === '' ? '' : ` (${who})`} at ${at ?? ''}`);
}

const named = z.object({ name: z.string() });

/** The name of an item of `for_each`, or the item itself. */
function itemText(item: unknown): string {
  return typeof item === 'string' ? item : (named.safeParse(item).data?.name ?? show(item));
}

function runStatus({ status }: RunTrace, paint: Paint): string {
  const mark: Record<RunTrace['status'], string> = {
    queued: paint('cyan', '… queued'),
    running: paint('cyan', '… running'),
    waiting: paint('yellow', '… waiting'),
    completed: paint('green', '✔ completed'),
    failed: paint('red', '✘ failed'),
  };
  return mark[status];
}

function stepRow(
  step: AttemptRecord,
  place: string,
  run: RunTrace,
  channels: readonly string[],
  paint: Paint,
): string[] {
  const mark: Record<AttemptRecord['status'], string> = {
    // A run ends at its first failed step.
    pending: paint('gray', run.status === 'failed' ? '- not reached' : '- pending'),
    running: paint('cyan', '… running'),
    waiting: paint('yellow', '… waiting'),
    retrying: paint('yellow', '… retrying'),
    completed: paint('green', '✔ completed'),
    skipped: paint('gray', '- skipped'),
    failed: paint('red', '✘ failed'),
  };
  const attempts = step.attempts > 1 ? ` (attempt ${step.attempts})` : '';
  const output = Object.entries(step.output ?? {})
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ');
  const sent = step.calls
    // Reads are lookups, except those of http_request.
    .filter((call) => call.method !== 'GET' || step.action === 'http_request')
    .map((call) => callText(call));
  const alerted = channels.length === 0 ? [] : [escapeControlCharacters(`to ${channels.join(', ')}`)];
  return [
    place,
    mark[step.status] + attempts,
    step.action,
    step.reason === undefined ? escapeControlCharacters(output) : reasonText(step),
    paint('dim', [...sent, ...alerted].join(', ')),
  ];
}
