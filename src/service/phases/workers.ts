import { openShardStores } from '../../coordination/shard-stores.js';
import { openAlertQueue, openScheduleQueue } from '../../queues/queues.js';
import { retentionOf } from '../../queues/retention.js';
import { startWorkers } from '../start-workers.js';
import type { RedisConnections } from './redis.js';
import type { LoadedLiveRules } from './rules.js';
import type { ServiceContext } from './settings.js';

/**
 * Phase 7: starts a worker for each queue and connects the live rules to them. Stopped right after the HTTP listener:
 * the workers finish or hand back their jobs, then their queues close, then the rule files are no longer watched.
 */
export function startServiceWorkers(
  { settings, env, accounts, metrics, logger, redaction, shutdown }: ServiceContext,
  { workers: shards }: RedisConnections,
  { rules, connect }: LoadedLiveRules,
): void {
  const retention = retentionOf(settings);
  const stores = openShardStores(shards, retention, redaction.redact);
  const alertQueue = openAlertQueue(shards.home, retention);
  const schedules = openScheduleQueue(shards.home, retention);
  shutdown.add('worker queues', () => stores.close());
  for (const queue of [alertQueue, schedules]) shutdown.add('worker queues', () => queue.close());
  const workers = startWorkers({
    settings,
    env,
    accounts,
    rules,
    stores,
    alertQueue,
    schedules,
    metrics,
    logger,
    redaction,
  });
  shutdown.add('workers', () => workers.stop());
  connect(workers);
  // Returns at once: the schedules are written when Redis answers.
  workers.rulesChanged();
}
