import { openShardStores } from '../coordination/shard-stores.js';
import type { Shards } from '../queues/shards.js';
import { z } from 'zod';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { replay } from '../runs/replay.js';
import { findEvents, isCursor } from '../journal/find-events.js';
import type { Trace } from '../journal/trace.js';
import { retentionOf } from '../queues/retention.js';
import { parseOptions } from './commands/options.js';
import { eventFilter } from './event-filter.js';
import { findEvent } from './find-event.js';
import { formatEvents, SHORT_ID } from './format-events.js';
import { formatTrace } from './format-trace.js';
import type { Paint } from './terminal.js';
import { jsonText } from './terminal.js';

const LIMIT = 'expected a whole number from 1 to 100';

const listOptions = z.object({
  ...eventFilter.shape,
  cursor: z.string().refine(isCursor, 'expected the cursor at the end of an earlier list').optional(),
  limit: z.coerce.number(LIMIT).int(LIMIT).min(1, LIMIT).max(100, LIMIT).default(20),
  json: z.boolean().default(false),
});

/**
 * `mdm-reflex events`: lists the newest events.
 *
 * @throws OperatorError for an invalid filter.
 */
export async function listEvents(shards: Shards, options: unknown, paint: Paint): Promise<string> {
  const { json, ...filter } = parseOptions(listOptions, options);
  const page = await findEvents(shards, filter);
  if (json) return jsonText(page);
  const more = page.cursor === undefined ? '' : `\n${paint('dim', `more: --cursor ${page.cursor}`)}`;
  const { limit: _limit, ...conditions } = filter;
  const isFiltered = Object.values(conditions).some((value) => value !== undefined);
  return formatEvents(page.events, paint, isFiltered) + more;
}

/**
 * `mdm-reflex events show ID`: shows the trace of one event.
 *
 * @throws OperatorError when the id names no event, or several.
 */
export async function showEvent(shards: Shards, id: string, json: boolean, paint: Paint): Promise<string> {
  const trace = await traceOf(shards, id);
  return json ? jsonText(trace) : formatTrace(trace, paint);
}

/**
 * `mdm-reflex events replay ID`: resumes what failed, at the step that failed.
 *
 * @param everything - Whether to replay the event as a new event, including steps that succeeded.
 * @throws OperatorError when the id names no event, or several.
 */
export async function replayEvent(
  shards: Shards,
  settings: Settings,
  id: string,
  { everything, json }: { readonly everything: boolean; readonly json: boolean },
): Promise<string> {
  const trace = await traceOf(shards, id);
  // A replay writes only states and times to the journal: no secret to redact.
  const stores = openShardStores(shards, retentionOf(settings), (text) => text);
  try {
    const result = await replay(trace, { everything, lane: 'interactive' }, stores.of(trace.account));
    if (json) return jsonText(result);
    switch (result.kind) {
      case 'in_progress':
        return 'not replayed: the event is still being processed';
      case 'nothing_failed':
        return `not replayed: nothing failed; ${EVERYTHING}`;
      case 'repeated':
        return `replayed as the new event ${result.id.slice(0, SHORT_ID)}`;
      case 'resumed': {
        const resumed = [
          ...(result.event ? ['the event'] : []),
          ...result.rules.map((rule) => `the run of ${rule}`),
        ];
        return resumed.length === 0
          ? `not replayed: the queue no longer has what failed; ${EVERYTHING}`
          : `resumed: ${resumed.join(', ')}`;
      }
    }
  } finally {
    await stores.close();
  }
}

const EVERYTHING = '--everything replays the event as a new event, including steps that succeeded';

async function traceOf(shards: Shards, id: string): Promise<Trace> {
  const found = await findEvent(shards, id);
  if (found !== undefined) return found;
  throw new OperatorError([
    {
      code: 'cli/unknown-event',
      message: `there is no event "${id}"; "mdm-reflex events" lists the events (the first six characters of an id are enough)`,
    },
  ]);
}
