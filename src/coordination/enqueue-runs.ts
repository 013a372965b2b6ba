import type { Queue } from 'bullmq';
import { RUN_FIELD } from '../journal/trace-keys.js';
import { storedJobOptions } from '../queues/add-job.js';
import { laneOf, priorityOf } from '../queues/jobs.js';
import type { RunJob } from '../queues/jobs.js';
import { RUNS, runId } from '../queues/queues.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Shard } from '../queues/shards.js';
import { backlogKeys } from './backlog.js';
import type { ConcurrencyGroups } from './concurrency-groups.js';

/**
 * Lua: `enqueue_runs(part, trace)` adds the runs of {@link runsPart} to their groups, and their jobs to the queue or the backlog, once each.
 * The trace of the event knows a run that has ended and whose job is gone. Needs `ADD_JOB_LUA`, `ARRIVAL_ORDER_LUA` and
 * `BACKLOG_LUA`.
 */
export const ENQUEUE_RUNS_LUA = `
local function enqueue_run(queue, b, run, options, priority, arrivals)
  if has_job(queue, run.id) then return end
  if run.group ~= '' then add_in_arrival_order(arrivals, run.group, run.id, run.event_at, run.ttl) end
  local delay = release_or_hold(b, run)
  add_job(queue, run.id, run.turn, run.data, options, run.at, delay, priority)
end

local function enqueue_runs(part, trace)
  local queue_key, backlog_key, arrivals, options, priority, now = unpack(part)
  local queue = open_queue(queue_key)
  local b = backlog_of(queue_key, backlog_key, queue)
  for i = 7, #part, 8 do
    local id, lane, account, turn, data, group, event_at, ttl = unpack(part, i, i + 7)
    if redis.call('HEXISTS', trace, '${RUN_FIELD}' .. turn) == 0 then
      local run = {
        id = id, lane = lane, account = account, turn = turn, at = tonumber(now), data = data,
        group = group, event_at = event_at, ttl = ttl
      }
      enqueue_run(queue, b, run, options, tonumber(priority), arrivals)
    end
  end
end
`;

/** Where runs are enqueued. */
export interface RunTarget {
  readonly shard: Shard;
  readonly runs: Queue<RunJob>;
  readonly groups: Pick<ConcurrencyGroups, 'members'>;
}

/** What {@link ENQUEUE_RUNS_LUA} needs to know of the runs of an event; empty without runs. */
export function runsPart(jobs: readonly RunJob[], { shard, runs, groups }: RunTarget): ScriptPart {
  const [first] = jobs;
  if (first === undefined) return [];
  const priority = priorityOf(laneOf(first));
  const values = jobs.flatMap((job) => {
    const { event, rule, group } = job;
    const members = group === undefined ? { key: '', ttlS: 0 } : groups.members(group);
    return [
      runId(event.id, rule.id),
      laneOf(job),
      event.account,
      rule.id,
      JSON.stringify(job),
      members.key,
      Date.parse(event.at),
      members.ttlS,
    ];
  });
  return [
    ...backlogKeys(shard, RUNS),
    `${shard.prefix}:arrivals:group`,
    storedJobOptions(runs, priority === 0 ? {} : { priority }),
    priority,
    Date.now(),
    ...values,
  ];
}
