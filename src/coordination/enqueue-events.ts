import { z } from 'zod';
import type { Event } from '../events/envelope.js';
import { startTraceArgs } from '../journal/index-entries.js';
import { JOURNAL_LUA, START_TRACE_VALUES } from '../journal/index-lua.js';
import { journalPrefix } from '../journal/trace-keys.js';
import { ADD_JOB_LUA, storedJobOptions } from '../queues/add-job.js';
import { inLane, priorityOf } from '../queues/jobs.js';
import type { Lane } from '../queues/jobs.js';
import { EVENTS } from '../queues/queues.js';
import { UNFINISHED_TTL_S } from '../queues/retention.js';
import { defineScript, runScript } from '../queues/script.js';
import { ARRIVAL_ORDER_LUA } from './arrival-order.js';
import { backlogKeys } from './backlog.js';
import { BACKLOG_LUA } from './backlog-script.js';
import { arrivalsKey, eventOrderPlace } from './event-order.js';
import type { ShardStore } from './shard-stores.js';

/** Where events are enqueued: the store of their account. */
export type EnqueueTarget = Pick<ShardStore, 'shard' | 'events' | 'journal'>;

/** How many events one script takes. Redis does nothing else meanwhile: a script of this size takes a few milliseconds. */
export const MAX_EVENTS_PER_SCRIPT = 200;

/** The position of the first event among the values of the script. */
const FIRST_EVENT = 10;
/** What the script needs of each event beside the values that start its trace. */
const JOB_VALUES = 5;
/** The position of the event itself (JSON) among the values that start its trace. */
const EVENT_VALUE = 2;

/**
 * KEYS: starts of the keys of the queue and of its backlog. ARGV: start of the keys of the journal, life of a trace, counter of arrivals, life
 * of an event order, options of the jobs, priority, time, lane, end of the data of each job; for each event: id, account, type, event
 * order (empty without one), time, values that start its trace.
 */
const ENQUEUE = defineScript(`${ADD_JOB_LUA}${BACKLOG_LUA}${ARRIVAL_ORDER_LUA}${JOURNAL_LUA}
  local journal, trace_ttl, arrivals, order_ttl, options, priority, now, lane, data_end = unpack(ARGV, 1, ${FIRST_EVENT - 1})
  local queue = open_queue(KEYS[1])
  local b = backlog_of(KEYS[1], KEYS[2], queue)
  local writes = collected_writes()
  collect_jobs(queue, writes)
  journal_read_devices(journal, ARGV, ${FIRST_EVENT + JOB_VALUES}, ${JOB_VALUES + START_TRACE_VALUES}, writes)
  local is_new = {}
  for at = ${FIRST_EVENT}, #ARGV, ${JOB_VALUES + START_TRACE_VALUES} do
    local id, account, type, order, happened_at = unpack(ARGV, at, at + ${JOB_VALUES - 1})
    local trace = at + ${JOB_VALUES}
    local starts = journal_start(journal, ARGV, trace, tonumber(trace_ttl), true, writes) == 1
    -- A trace may be gone while its event is still processed.
    local adds = starts and not has_job(queue, id)
    if adds then
      if order ~= '' then add_in_arrival_order(arrivals, order, id, happened_at, order_ttl, writes) end
      local delay = release_or_hold(b, { id = id, lane = lane, account = account, turn = type, at = tonumber(now) }, writes)
      local data = '{"event":' .. ARGV[trace + ${EVENT_VALUE}] .. data_end
      add_job(queue, id, type, data, options, now, delay, tonumber(priority))
    end
    is_new[#is_new + 1] = adds and 1 or 0
  end
  flush_jobs(queue)
  return is_new
`);

const reply = z.array(z.int());

/**
 * Enqueues events of one shard, once each, wherever they come from. One script for each batch deduplicates by the trace, registers the
 * event in the order of its device, adds the job (in flight or into the backlog), and starts the trace: Redis has all of it or nothing.
 *
 * @returns For each event, whether it is new.
 */
export async function enqueueEvents(
  events: readonly Event[],
  target: EnqueueTarget,
  lane: Lane = 'interactive',
): Promise<boolean[]> {
  const batches: Promise<boolean[]>[] = [];
  for (let start = 0; start < events.length; start += MAX_EVENTS_PER_SCRIPT) {
    batches.push(enqueueBatch(events.slice(start, start + MAX_EVENTS_PER_SCRIPT), target, lane));
  }
  return (await Promise.all(batches)).flat();
}

async function enqueueBatch(
  events: readonly Event[],
  { shard, events: queue, journal }: EnqueueTarget,
  lane: Lane,
): Promise<boolean[]> {
  const { redis, prefix } = shard;
  const priority = priorityOf(lane);
  const values: (string | number)[] = [
    journalPrefix(prefix),
    journal.startTtlS,
    arrivalsKey(prefix),
    UNFINISHED_TTL_S,
    storedJobOptions(queue, priority === 0 ? {} : { priority }),
    priority,
    Date.now(),
    lane,
    dataEnd(lane),
  ];
  for (const event of events) {
    const { order, at } = eventOrderPlace(prefix, event);
    values.push(event.id, event.account, event.type, order ?? '', at, ...startTraceArgs(event));
  }
  const isNew = reply.parse(await runScript(redis, ENQUEUE, backlogKeys(shard, EVENTS), values));
  return isNew.map((flag) => flag === 1);
}

/** What follows the event in the data of a job (`EventJob`). The event travels once, for the job and for the trace. */
function dataEnd(lane: Lane): string {
  const rest = JSON.stringify(inLane(lane)).slice(1);
  return rest === '}' ? rest : `,${rest}`;
}
