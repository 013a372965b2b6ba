import type { ShardStores } from '../coordination/shard-stores.js';
import { findEvents, findTrace } from '../journal/find-events.js';
import type { EventFilter } from '../journal/find-events.js';
import type { Shards } from '../queues/shards.js';
import { replay } from './replay.js';

/** An event that a replay of many is about. */
export interface EventToReplay {
  readonly id: string;
  readonly account: string;
  /** ISO 8601. */
  readonly receivedAt: string;
}

/** Why a replay of many left an event as it is. */
export type SkipReason =
  /** The event is still being processed, or another replay is running. */
  | 'in_progress'
  /** What failed was replayed meanwhile. */
  | 'nothing_failed'
  /** The queue no longer has what failed. */
  | 'gone'
  /** The journal no longer has the event. */
  | 'deleted';

/** What a replay of many has done so far. */
export interface ReplayProgress {
  /** Events that were queued again, or of which runs were. */
  readonly replayed: number;
  /** Runs that were queued again. */
  readonly runs: number;
  /** The ids of the events that were left as they are. */
  readonly skipped: ReadonlyMap<SkipReason, readonly string[]>;
}

const PAGE = 100;

/**
 * Finds the events to replay, page by page to the end. Events that arrive meanwhile are not among them.
 *
 * @param limit - The newest events, at most this many.
 * @param onProgress - Called after each page with the number of events so far.
 * @returns The events, oldest first: the events of a device are replayed in their order.
 */
export async function findEventsToReplay(
  shards: Shards,
  filter: Omit<EventFilter, 'cursor' | 'limit'>,
  {
    limit = Infinity,
    signal,
    onProgress,
  }: {
    readonly limit?: number | undefined;
    readonly signal: AbortSignal;
    readonly onProgress: (found: number) => void;
  },
): Promise<EventToReplay[]> {
  const start = new Date();
  const until = filter.until === undefined || filter.until > start ? start : filter.until;
  const found: EventToReplay[] = [];
  let cursor: string | undefined;
  do {
    const page = await findEvents(shards, {
      ...filter,
      until,
      cursor,
      limit: Math.min(PAGE, limit - found.length),
    });
    found.push(...page.events.map(({ id, account, receivedAt }) => ({ id, account, receivedAt })));
    onProgress(found.length);
    cursor = page.cursor;
  } while (cursor !== undefined && found.length < limit && !signal.aborted);
  return found.reverse();
}

/**
 * Replays events in the bulk lane, one after the other.
 *
 * @param everything - Enqueues copies as new events instead of resuming what failed.
 * @param signal - Stops the replay. Events that were received in the same millisecond are replayed all or none, so that a time says where
 *   to go on.
 * @param onProgress - Called after each event.
 * @returns The first event that was not reached; undefined when all were.
 */
export async function replayMany(
  events: readonly EventToReplay[],
  {
    stores,
    everything,
    signal,
    onProgress,
  }: {
    readonly stores: ShardStores;
    readonly everything: boolean;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: ReplayProgress) => void;
  },
): Promise<EventToReplay | undefined> {
  const skipped = new Map<SkipReason, string[]>();
  let replayed = 0;
  let runs = 0;
  let last: string | undefined;
  for (const event of events) {
    if (signal.aborted && event.receivedAt !== last) return event;
    last = event.receivedAt;
    const result = await replayOne(event, everything, stores);
    if (typeof result === 'number') {
      replayed += 1;
      runs += result;
    } else {
      const ids = skipped.get(result) ?? [];
      ids.push(event.id);
      skipped.set(result, ids);
    }
    onProgress({ replayed, runs, skipped });
  }
  return undefined;
}

/** The number of runs that were queued again, or why nothing was. */
async function replayOne(
  { id, account }: EventToReplay,
  everything: boolean,
  stores: ShardStores,
): Promise<number | SkipReason> {
  const trace = await findTrace(stores.shards, id);
  if (trace === undefined) return 'deleted';
  const result = await replay(trace, { everything, lane: 'bulk' }, stores.of(account));
  if (result.kind === 'repeated') return 0;
  if (result.kind !== 'resumed') return result.kind;
  return result.event || result.rules.length > 0 ? result.rules.length : 'gone';
}
