import type { Event } from '../events/envelope.js';
import { ADD_JOB_LUA, storedJobOptions } from '../queues/add-job.js';
import { inLane, priorityOf } from '../queues/jobs.js';
import type { EventJob, Lane } from '../queues/jobs.js';
import { EVENTS } from '../queues/queues.js';
import { defineScript, runScript } from '../queues/script.js';
import { backlogKeys } from './backlog.js';
import { BACKLOG_LUA } from './backlog-script.js';
import { registerEvents } from './event-order.js';
import type { ShardStore } from './shard-stores.js';

/** Where events are enqueued: the store of their account. */
export type EnqueueTarget = Pick<ShardStore, 'shard' | 'events' | 'journal'>;

/** KEYS: starts of the keys of the queue and of its backlog. ARGV: options, priority, time, lane; for each event: id, account, type, data. */
const ENQUEUE = defineScript(`${ADD_JOB_LUA}${BACKLOG_LUA}
  local queue = open_queue(KEYS[1])
  local b = backlog_of(KEYS[1], KEYS[2], queue)
  for i = 5, #ARGV, 4 do
    local job = { id = ARGV[i], lane = ARGV[4], account = ARGV[i + 1], turn = ARGV[i + 2], at = tonumber(ARGV[3]) }
    if not has_job(queue, job.id) then
      add_job(queue, job.id, job.turn, ARGV[i + 3], ARGV[1], job.at, release_or_hold(b, job), tonumber(ARGV[2]))
    end
  end
`);

/**
 * Enqueues events of one shard, once each, wherever they come from: into the order of their devices, in flight or into the backlog, and
 * into the journal. The queue drops a repeated event by its id. The journal knows whether an event is new.
 *
 * @returns For each event, whether it is new.
 */
export async function enqueueEvents(
  events: readonly Event[],
  { shard, events: queue, journal }: EnqueueTarget,
  lane: Lane = 'interactive',
): Promise<boolean[]> {
  await registerEvents(shard, events);
  const priority = priorityOf(lane);
  const values = events.flatMap((event) => {
    const data: EventJob = { event, ...inLane(lane) };
    return [event.id, event.account, event.type, JSON.stringify(data)];
  });
  await runScript(shard.redis, ENQUEUE, backlogKeys(shard, EVENTS), [
    storedJobOptions(queue, priority === 0 ? {} : { priority }),
    priority,
    Date.now(),
    lane,
    ...values,
  ]);
  return journal.recordReceived(events);
}
