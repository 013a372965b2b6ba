import type { Queue } from 'bullmq';
import type { RulesReport } from '../../console/rules-report.js';
import { countInventoryWaits } from '../../coordination/inventory-waits.js';
import { openShardStores } from '../../coordination/shard-stores.js';
import type { ShardStores } from '../../coordination/shard-stores.js';
import type { ScheduleJob } from '../../queues/jobs.js';
import { openScheduleQueue } from '../../queues/queues.js';
import { retentionOf } from '../../queues/retention.js';
import type { LiveRules } from '../live-rules.js';
import { startRuleReporting } from '../rule-reporting.js';
import type { RedisConnections } from './redis.js';
import type { ServiceContext } from './settings.js';

/** What the receiver, the console and the JSON API write to and read from. */
export interface ServiceQueues {
  readonly stores: ShardStores;
  readonly schedules: Queue<ScheduleJob>;
  /** The rules report of this process, or of the worker that reported last; undefined when no worker runs. */
  readonly report: () => Promise<RulesReport | undefined>;
}

/**
 * Phase 5: opens the queues and the journal on the connection for requests, and begins to report the live rules to
 * processes that have none. Stopped after the workers: reporting first, then the queues.
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
  const reporting = startRuleReporting({ rules, home: requests.home, redact: redaction.redact, logger });
  shutdown.add('rule reporting', () => reporting.stop());
  return {
    stores,
    schedules,
    report: reporting.report,
  };
}

/** The jobs by state, in all shards. */
function sumOfCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [state, count] of counts.flatMap((each) => Object.entries(each)))
    sum[state] = (sum[state] ?? 0) + count;
  return sum;
}
