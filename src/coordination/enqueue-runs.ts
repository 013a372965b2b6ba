import type { Queue } from 'bullmq';
import { ADD_JOB_LUA, storedJobOptions } from '../queues/add-job.js';
import { laneOf, priorityOf } from '../queues/jobs.js';
import type { RunJob } from '../queues/jobs.js';
import { RUNS, runId } from '../queues/queues.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { ARRIVAL_ORDER_LUA } from './arrival-order.js';
import { backlogKeys } from './backlog.js';
import { BACKLOG_LUA } from './backlog-script.js';
import type { ConcurrencyGroups } from './concurrency-groups.js';

/**
 * Lua: `enqueue_run(queue, b, run, options, priority, arrivals)` adds a run to its group, and its job to the queue or the backlog, unless
 * the queue has the job. `run`: a table as the backlog takes it, with `data` (JSON), and with `group` (the key of its members),
 * `event_at` and `ttl` when it has a group. Needs {@link ADD_JOB_LUA}, {@link ARRIVAL_ORDER_LUA} and {@link BACKLOG_LUA}.
 */
export const ENQUEUE_RUN_LUA = `
local function enqueue_run(queue, b, run, options, priority, arrivals)
  if has_job(queue, run.id) then return end
  if run.group ~= '' then add_in_arrival_order(arrivals, run.group, run.id, run.event_at, run.ttl) end
  local delay = release_or_hold(b, run)
  add_job(queue, run.id, run.turn, run.data, options, run.at, delay, priority)
end
`;

/** KEYS: starts of the keys of the queue and of its backlog, counter of arrivals. ARGV: options, priority, time; for each run: its values. */
const ENQUEUE = defineScript(`${ADD_JOB_LUA}${ARRIVAL_ORDER_LUA}${BACKLOG_LUA}${ENQUEUE_RUN_LUA}
  local queue = open_queue(KEYS[1])
  local b = backlog_of(KEYS[1], KEYS[2], queue)
  for i = 4, #ARGV, 8 do
    local run = {
      id = ARGV[i], lane = ARGV[i + 1], account = ARGV[i + 2], turn = ARGV[i + 3], at = tonumber(ARGV[3]), data = ARGV[i + 4],
      group = ARGV[i + 5], event_at = ARGV[i + 6], ttl = ARGV[i + 7]
    }
    enqueue_run(queue, b, run, ARGV[1], tonumber(ARGV[2]), KEYS[3])
  end
`);

/** Where runs are enqueued. */
export interface RunTarget {
  readonly shard: Shard;
  readonly runs: Queue<RunJob>;
  readonly groups: Pick<ConcurrencyGroups, 'members'>;
}

/**
 * Enqueues the runs of an event, once each: into their concurrency groups, and in flight or into the backlog. A run that the queue has is
 * not enqueued again.
 */
export async function enqueueRuns(
  jobs: readonly RunJob[],
  { shard, runs, groups }: RunTarget,
): Promise<void> {
  const [first] = jobs;
  if (first === undefined) return;
  const priority = priorityOf(laneOf(first));
  const keys = [...backlogKeys(shard, RUNS), `${shard.prefix}:arrivals:group`];
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
  await runScript(shard.redis, ENQUEUE, keys, [
    storedJobOptions(runs, priority === 0 ? {} : { priority }),
    priority,
    Date.now(),
    ...values,
  ]);
}
