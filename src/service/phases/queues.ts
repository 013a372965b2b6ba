import type { Queue } from 'bullmq';
import type { RulesReport } from '../../console/rules-report.js';
import { countInventoryWaits } from '../../coordination/inventory-waits.js';
import { QUEUES_WITH_BACKLOG, readBacklog } from '../../coordination/read-backlog.js';
import type { BacklogRow } from '../../coordination/read-backlog.js';
import { openShardStores } from '../../coordination/shard-stores.js';
import type { ShardStores } from '../../coordination/shard-stores.js';
import type { ScheduleJob } from '../../queues/jobs.js';
import { openScheduleQueue } from '../../queues/queues.js';
import { retentionOf } from '../../queues/retention.js';
import { LANES } from '../../queues/jobs.js';
import { fromAllShards } from '../../queues/shards.js';
import type { BacklogDepth } from '../../telemetry/metrics.js';
import { startJournalCleaning } from '../journal-cleaning.js';
import type { LiveRules } from '../live-rules.js';
import { startRuleReporting } from '../rule-reporting.js';
import type { RedisConnections } from './redis.js';
import type { ServiceContext } from './settings.js';

/** What the receiver, the console and the JSON API write to and read from. */
export interface ServiceQueues {
  readonly stores: ShardStores;
  readonly schedules: Queue<ScheduleJob>;
  /** `API_RATE`. */
  readonly apiRate: number;
  /** The rules report of this process, or of the worker that reported last; undefined when no worker runs. */
  readonly report: () => Promise<RulesReport | undefined>;
}

/**
 * Phase 6: opens the queues and the journal on the connection for requests, begins to report the live rules to
 * processes that have none, and to delete old events. Stopped after the workers: the queues last.
 */
export function openQueues(
  { settings, redaction, metrics, logger, shutdown }: ServiceContext,
  { requests }: RedisConnections,
  rules: LiveRules | undefined,
): ServiceQueues {
  const retention = retentionOf(settings);
  const stores = openShardStores(requests, retention, redaction.redact);
  const schedules = openScheduleQueue(requests.home, retention);
  shutdown.add('queues', () => stores.close());
  shutdown.add('queues', () => schedules.close());
  const isReady = (): boolean => requests.redis.status === 'ready';
  for (const name of ['events', 'runs'] as const) {
    metrics.watchQueue(name, async () =>
      isReady() ? sumOfCounts(await Promise.all(stores.all.map((store) => store[name].getJobCounts()))) : {},
    );
  }
  metrics.watchInventoryWaits(async () => {
    if (!isReady()) return undefined;
    const counts = await Promise.all(requests.all.map(countInventoryWaits));
    return counts.reduce((sum, count) => sum + count, 0);
  });
  metrics.watchBacklogs(async () =>
    isReady() ? backlogDepths(await fromAllShards(requests, readBacklog), Date.now()) : [],
  );
  const cleaning = startJournalCleaning({ settings, stores, isReady, logger });
  shutdown.add('journal cleaning', () => cleaning.stop());
  const reporting = startRuleReporting({ rules, home: requests.home, redact: redaction.redact, logger });
  shutdown.add('rule reporting', () => reporting.stop());
  return {
    stores,
    schedules,
    apiRate: settings.API_RATE,
    report: reporting.report,
  };
}

/** The backlogs by queue and lane, in all shards. */
function backlogDepths(rows: readonly BacklogRow[], now: number): BacklogDepth[] {
  return QUEUES_WITH_BACKLOG.flatMap((queue) =>
    LANES.map((lane) => {
      const own = rows.filter((row) => row.queue === queue && row.lane === lane);
      const oldest = own.length === 0 ? undefined : Math.min(...own.map(({ oldestAt }) => oldestAt));
      return {
        queue,
        lane,
        jobs: own.reduce((sum, { waiting }) => sum + waiting, 0),
        oldestAgeSeconds: oldest === undefined ? undefined : Math.max(now - oldest, 0) / 1000,
      };
    }),
  );
}

/** The jobs by state, in all shards. */
function sumOfCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [state, count] of counts.flatMap((each) => Object.entries(each)))
    sum[state] = (sum[state] ?? 0) + count;
  return sum;
}
