import { z } from 'zod';
import type { RunTrace, Trace } from '../journal/trace.js';
import type { AttemptRecord } from '../queues/jobs.js';
import { runId } from '../queues/queues.js';
import { show } from '../rules/model/values.js';
import { callText } from './format-call.js';
import { columns, escapeControlCharacters } from './terminal.js';
import type { Paint } from './terminal.js';

/** What one rule did for the event: how its run stands and why, then its steps. */
export function formatRun(run: RunTrace, { id, alerts }: Trace, paint: Paint): string[] {
  const channelsOf = (place: string): string[] =>
    alerts.flatMap((alert) =>
      // What a replay began afresh has its number behind it.
      alert.id.replace(/\.r\d+$/, '') === `${runId(id, run.rule)}.${place}` ? [alert.channel] : [],
    );
  const rows = run.steps.flatMap((step, index) => {
    const { itemRecords = [], items = [] } = step;
    // What its items came to stands below, item by item.
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
    `  ${paint('dim', `did, by ${run.rule}`)}  ${runWord(run, paint)}`,
    ...(run.reason === undefined ? [] : [`    ${escapeControlCharacters(run.reason)}`]),
    ...columns(rows).map((line) => `    ${line}`),
  ];
}

const named = z.object({ name: z.string() });

/** What an item of a list is called. */
function itemText(item: unknown): string {
  return typeof item === 'string' ? item : (named.safeParse(item).data?.name ?? show(item));
}

function runWord({ status }: RunTrace, paint: Paint): string {
  const mark: Record<RunTrace['status'], string> = {
    queued: paint('cyan', '… queued'),
    running: paint('cyan', '… running'),
    waiting: paint('yellow', '… waits'),
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
    // Behind a step that failed the run ends.
    pending: paint('gray', run.status === 'failed' ? '- not reached' : '- pending'),
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
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${show(value)}`)
      .join(', ');
  const sent = step.calls
    // To read is what http_request may be there for.
    .filter((call) => call.method !== 'GET' || step.action === 'http_request')
    .map((call) => callText(call));
  const told = channels.length === 0 ? [] : [`to ${channels.join(', ')}`];
  return [
    place,
    mark[step.status] + attempts,
    step.action,
    escapeControlCharacters(what),
    paint('dim', [...sent, ...told].join(', ')),
  ];
}
