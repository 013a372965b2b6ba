import type { Queue } from 'bullmq';
import type { RulesReport } from '../../console/rules-report.js';
import { countInventoryWaits } from '../../coordination/inventory-waits.js';
import { openJournal } from '../../journal/journal.js';
import type { Journal } from '../../journal/journal.js';
import type { EventJob, RunJob, ScheduleJob } from '../../queues/jobs.js';
import { openEventQueue, openRunQueue, openScheduleQueue } from '../../queues/queues.js';
import { retentionOf } from '../../queues/retention.js';
import type { LiveRules } from '../live-rules.js';
import { startRuleReporting } from '../rule-reporting.js';
import type { RedisConnections } from './redis.js';
import type { ServiceContext } from './settings.js';

/** What the receiver, the console and the JSON API write to and read from. */
export interface ServiceQueues {
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly schedules: Queue<ScheduleJob>;
  readonly journal: Journal;
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
  const events = openEventQueue(requests, retention);
  const runs = openRunQueue(requests, retention);
  const schedules = openScheduleQueue(requests, retention);
  for (const queue of [events, runs, schedules]) shutdown.add('queues', () => queue.close());
  for (const queue of [events, runs]) {
    metrics.watchQueue(queue.name, () =>
      requests.status === 'ready' ? queue.getJobCounts() : Promise.resolve({}),
    );
  }
  metrics.watchInventoryWaits(() =>
    requests.status === 'ready' ? countInventoryWaits(requests) : Promise.resolve(undefined),
  );
  const reporting = startRuleReporting({ rules, redis: requests, redact: redaction.redact, logger });
  shutdown.add('rule reporting', () => reporting.stop());
  return {
    events,
    runs,
    schedules,
    journal: openJournal(requests, retention, redaction.redact),
    report: reporting.report,
  };
}
