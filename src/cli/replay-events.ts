import { z } from 'zod';
import { displayTime } from '../alerts/display-text.js';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { openShardStores } from '../coordination/shard-stores.js';
import { isRedisUnreachable } from '../queues/connection.js';
import { retentionOf } from '../queues/retention.js';
import type { Shards } from '../queues/shards.js';
import { findEventsToReplay, replayMany } from '../runs/replay-many.js';
import type { EventToReplay, ReplayProgress, SkipReason } from '../runs/replay-many.js';
import { parseOptions } from './commands/options.js';
import type { Dialog } from './dialog.js';
import { eventFilter } from './event-filter.js';
import { SHORT_ID } from './format-events.js';
import { jsonText } from './terminal.js';

const LIMIT = 'expected a whole number from 1';

const replayOptions = z
  .object({
    ...eventFilter.shape,
    limit: z.coerce.number(LIMIT).int(LIMIT).min(1, LIMIT).optional(),
    cursor: z.undefined('"events replay" takes all pages; use --since and --until').optional(),
    everything: z.boolean().default(false),
    yes: z.boolean().default(false),
    json: z.boolean().default(false),
  })
  .refine(({ everything, status = 'failed' }) => everything || status === 'failed', {
    path: ['status'],
    message: 'only what failed can be resumed; add --everything to process the events again as new ones',
  });

/** The result of the command, for `--json`. */
interface Report {
  readonly matched: number;
  readonly replayed: number;
  readonly runs: number;
  readonly skipped: Readonly<
    Partial<Record<SkipReason, { readonly count: number; readonly first: string[] }>>
  >;
  /** Where to go on after Ctrl-C; null when all events were reached. */
  readonly next: { readonly left: number; readonly since: string; readonly until: string } | null;
}

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  in_progress: 'still being processed',
  nothing_failed: 'nothing failed any more',
  gone: 'the queue no longer has what failed; --everything replays the event as a new event',
  deleted: 'the journal no longer has the event',
};

/** How many ids of skipped events to show for each reason. */
const SHOWN_IDS = 10;

/** What the command works with. */
export interface ReplayEventsContext {
  readonly shards: Shards;
  readonly settings: Settings;
  readonly dialog: Dialog;
}

/**
 * `mdm-reflex events replay --status failed`: shows how many events match, asks, and replays them in the bulk lane.
 *
 * @returns The last lines of the command.
 * @throws OperatorError for an invalid option, without a filter, or when nobody can be asked.
 */
export async function replayEvents(options: unknown, context: ReplayEventsContext): Promise<string> {
  const { shards, dialog } = context;
  const { limit, everything, yes, json, cursor: _cursor, ...given } = parseOptions(replayOptions, options);
  if (Object.values(given).every((value) => value === undefined)) throw NO_FILTER;
  if (!yes && !dialog.isInteractive) throw NOBODY_TO_ASK;
  const filter = everything ? given : { ...given, status: 'failed' as const };
  const events = await findEventsToReplay(shards, filter, {
    limit,
    signal: dialog.signal,
    onProgress: (found) => dialog.progress(`${found} events match so far`),
  });
  if (!dialog.signal.aborted && events.length > 0 && !json) dialog.print(matchText(events));
  const isWanted = events.length > 0 && (yes || (await dialog.ask(questionOf(events.length, everything))));
  if (dialog.signal.aborted || !isWanted) {
    if (json) return jsonText(reportOf(events, NOTHING, events[0]));
    return events.length === 0 && !dialog.signal.aborted
      ? 'no event matches these filters'
      : 'nothing was replayed';
  }
  return replayAll(events, everything, json, context);
}

const NOTHING: ReplayProgress = { replayed: 0, runs: 0, skipped: new Map() };

const NO_FILTER = new OperatorError([
  {
    code: 'cli/missing-argument',
    message:
      'name an event, or choose events with a filter, such as "events replay --status failed --since 1d"; --help lists the filters',
  },
]);

const NOBODY_TO_ASK = new OperatorError([
  {
    code: 'cli/confirmation-needed',
    message:
      '"events replay" of many events asks before it starts, and this is not a terminal; add --yes to start without the question',
  },
]);

async function replayAll(
  events: readonly EventToReplay[],
  everything: boolean,
  json: boolean,
  { shards, settings, dialog }: ReplayEventsContext,
): Promise<string> {
  // A replay writes only states and times to the journal: no secret to redact.
  const stores = openShardStores(shards, retentionOf(settings), (text) => text);
  let progress = NOTHING;
  let reached = 0;
  try {
    const next = await replayMany(events, {
      stores,
      everything,
      signal: dialog.signal,
      onProgress: (current) => {
        progress = current;
        reached += 1;
        dialog.progress(`${reached} of ${countText(events.length)} replayed`);
      },
    });
    const report = reportOf(events, progress, next);
    return json ? jsonText(report) : reportText(report, everything);
  } catch (error) {
    if (!isRedisUnreachable(error)) throw error;
    const { next } = reportOf(events, progress, events[reached]);
    const message = `Redis was lost after ${reached} of ${countText(events.length)}; ${next === null ? '' : goOnText(next, everything)}${everything ? '. The first of them may have been replayed already' : ''}`;
    throw new OperatorError([{ code: 'redis/unreachable', message }]);
  } finally {
    await stores.close();
  }
}

function reportOf(
  events: readonly EventToReplay[],
  { replayed, runs, skipped }: ReplayProgress,
  next: EventToReplay | undefined,
): Report {
  const last = events.at(-1);
  return {
    matched: events.length,
    replayed,
    runs,
    skipped: Object.fromEntries(
      [...skipped].map(([reason, ids]) => [reason, { count: ids.length, first: ids.slice(0, SHOWN_IDS) }]),
    ),
    next:
      next === undefined || last === undefined
        ? null
        : { left: events.length - events.indexOf(next), since: next.receivedAt, until: last.receivedAt },
  };
}

function reportText({ matched, replayed, runs, skipped, next }: Report, everything: boolean): string {
  const what = everything ? '' : `, with ${runs} failed ${runs === 1 ? 'run' : 'runs'}`;
  const lines = [
    ...(next === null ? [] : [`stopped after ${matched - next.left} of ${countText(matched)}`]),
    `replayed in the bulk lane: ${countText(replayed)}${what}`,
    ...skippedLines(skipped),
    ...(next === null ? [] : [goOnText(next, everything)]),
    '"mdm-reflex queue" shows what waits',
  ];
  return lines.join('\n');
}

function skippedLines(skipped: Report['skipped']): string[] {
  return Object.entries(SKIPPED).flatMap(([reason, text]) => {
    const found = Object.entries(skipped).find(([name]) => name === reason)?.[1];
    if (found === undefined) return [];
    const ids = found.first.map((id) => id.slice(0, SHORT_ID)).join(', ');
    const more = found.count > found.first.length ? ', …' : '';
    return [`skipped: ${countText(found.count)} (${text}): ${ids}${more}`];
  });
}

function goOnText({ left, since, until }: NonNullable<Report['next']>, everything: boolean): string {
  return everything
    ? `to go on with the other ${left}, run the command again with --since ${since} --until ${until}`
    : 'to go on, run the command again: it replays only what is still failed';
}

function matchText(events: readonly EventToReplay[]): string {
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) return '';
  const times = [displayTime(first.receivedAt), displayTime(last.receivedAt)];
  const verb = events.length === 1 ? 'matches' : 'match';
  return `${countText(events.length)} ${verb}, received from ${times.join(' to ')} (UTC)`;
}

function questionOf(count: number, everything: boolean): string {
  return everything
    ? `Process ${countText(count)} again as new events, with all their actions?`
    : `Resume what failed in ${countText(count)}?`;
}

function countText(count: number): string {
  return count === 1 ? '1 event' : `${count} events`;
}
