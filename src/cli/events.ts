import type { Redis } from 'ioredis';
import { z } from 'zod';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { replay } from '../console/replay.js';
import { findEvents, findTrace, isCursor } from '../journal/find-events.js';
import { openJournal } from '../journal/journal.js';
import { eventStatus } from '../journal/trace.js';
import type { Trace } from '../journal/trace.js';
import { openEventQueue, openRunQueue } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import { durationText } from '../rules/model/duration.js';
import { formatEvents, SHORT_ID } from './format-events.js';
import { formatTrace } from './format-trace.js';
import type { Paint } from './terminal.js';

const LIMIT = 'expected a whole number from 1 to 100';

const listOptions = z.object({
  type: z.string().optional(),
  device: z.string().optional(),
  rule: z.string().optional(),
  account: z.string().optional(),
  status: eventStatus.optional(),
  since: z
    .union(
      [
        durationText.transform((ms) => new Date(Date.now() - ms)),
        z.iso.datetime({ offset: true }).transform((time) => new Date(time)),
      ],
      'expected how long ago, such as 2d or 1h, or an ISO 8601 time such as 2026-01-31T08:00:00Z',
    )
    .optional(),
  cursor: z.string().refine(isCursor, 'expected the cursor that an earlier list ended with').optional(),
  limit: z.coerce.number(LIMIT).int(LIMIT).min(1, LIMIT).max(100, LIMIT).default(20),
  json: z.boolean().default(false),
});

/** `mdm-reflex events`: the newest events. */
export async function listEvents(redis: Redis, options: unknown, paint: Paint): Promise<string> {
  const parsed = listOptions.safeParse(options);
  if (!parsed.success) {
    throw new OperatorError(
      parsed.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`),
    );
  }
  const { json, ...filter } = parsed.data;
  const page = await findEvents(redis, filter);
  if (json) return JSON.stringify(page, undefined, 2);
  const more = page.cursor === undefined ? '' : `\n${paint('dim', `more: --cursor ${page.cursor}`)}`;
  const { limit: _limit, ...narrowing } = filter;
  return (
    formatEvents(
      page.events,
      paint,
      Object.values(narrowing).some((value) => value !== undefined),
    ) + more
  );
}

/** `mdm-reflex events show ID`: the trace of one event. */
export async function showEvent(redis: Redis, id: string, json: boolean, paint: Paint): Promise<string> {
  const found = await existing(redis, id);
  return json ? JSON.stringify(found, undefined, 2) : formatTrace(found, paint);
}

/** `mdm-reflex events replay ID`: what failed goes on where it failed. */
export async function replayEvent(
  redis: Redis,
  settings: Settings,
  id: string,
  everything: boolean,
): Promise<string> {
  const found = await existing(redis, id);
  const retention = retentionOf(settings);
  const events = openEventQueue(redis, retention);
  const runs = openRunQueue(redis, retention);
  try {
    // Nothing new is written here but states and times: there is no secret to mask.
    const done = await replay(found, everything, {
      redis,
      events,
      runs,
      journal: openJournal(redis, retention, (text) => text),
    });
    if (done.kind === 'in_progress') return 'nothing done: the event is still being worked on';
    if (done.kind === 'nothing_failed')
      return 'nothing done: nothing failed for this event; --everything takes it once more, with all that it does';
    if (done.kind === 'repeated') return `taken once more as ${done.id.slice(0, SHORT_ID)}`;
    const resumed = [...(done.event ? ['the event'] : []), ...done.rules.map((rule) => `the run of ${rule}`)];
    if (resumed.length === 0)
      return 'nothing is left to resume; --everything takes the event once more as a new one';
    return `resumed: ${resumed.join(', ')}`;
  } finally {
    await Promise.all([events.close(), runs.close()]);
  }
}

async function existing(redis: Redis, id: string): Promise<Trace> {
  const found = await findTrace(redis, id);
  if (found !== undefined) return found;
  throw new OperatorError([
    `there is no event "${id}", or more than one begins so, or it is too old; "mdm-reflex events" lists them (six characters of the id are enough)`,
  ]);
}
