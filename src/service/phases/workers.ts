import { openJournal } from '../../journal/journal.js';
import {
  openAlertQueue,
  openEventQueue,
  openRunQueue,
  openScheduleQueue,
  openSweepQueue,
} from '../../queues/queues.js';
import { retentionOf } from '../../queues/retention.js';
import { startWorkers } from '../start-workers.js';
import type { RedisConnections } from './redis.js';
import type { LoadedLiveRules } from './rules.js';
import type { ServiceContext } from './settings.js';

/**
 * Phase 6: starts a worker for each queue and connects the live rules to them. Stopped right after the HTTP listener:
 * the workers finish or hand back their jobs, then their queues close, then the rule files are no longer watched.
 */
export function startServiceWorkers(
  { settings, env, accounts, metrics, logger, redaction, shutdown }: ServiceContext,
  { workers: connection }: RedisConnections,
  { rules, connect }: LoadedLiveRules,
): void {
  const retention = retentionOf(settings);
  const queues = {
    events: openEventQueue(connection, retention),
    runs: openRunQueue(connection, retention),
    alerts: openAlertQueue(connection, retention),
    schedules: openScheduleQueue(connection, retention),
    sweeps: openSweepQueue(connection, retention),
  };
  for (const queue of Object.values(queues)) shutdown.add('worker queues', () => queue.close());
  const workers = startWorkers({
    settings,
    env,
    accounts,
    rules,
    connection,
    queues,
    journal: openJournal(connection, retention, redaction.redact),
    metrics,
    logger,
    redaction,
  });
  shutdown.add('workers', () => workers.stop());
  connect(workers);
  // Returns at once: the schedules are written when Redis answers.
  workers.rulesChanged();
}
