import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The number of jobs in one queue, by state. */
export type QueueDepths = Readonly<Record<string, number>>;

/** The backlog of a queue in one lane. */
export interface BacklogDepth {
  readonly queue: string;
  readonly lane: string;
  readonly jobs: number;
  /** Since when the oldest job waits; undefined for an empty backlog. */
  readonly oldestAgeSeconds: number | undefined;
}

/** The metrics of the service. Names follow the Prometheus conventions: base units, `_total` for counters. */
export interface Metrics {
  readonly registry: Registry;
  readonly webhooks: Counter<'type' | 'status'>;
  readonly webhookOddities: Counter<'kind'>;
  readonly jobDuration: Histogram<'queue' | 'outcome'>;
  readonly apiCallDuration: Histogram<'account' | 'method' | 'route' | 'status'>;
  readonly apiCircuitOpen: Gauge<'account'>;
  readonly apiUnreadableFields: Counter<'resource' | 'field'>;
  readonly apiIncompleteLists: Counter<'resource'>;
  readonly rulesHeld: Counter<'rule'>;
  readonly eventChainsCut: Counter<'rule'>;
  readonly messages: Counter<'channel' | 'type' | 'outcome'>;
  readonly scheduleTicks: Counter<'rule'>;
  readonly scheduleTicksSkipped: Counter<'rule' | 'account'>;
  readonly rules: Gauge;
  readonly ruleProblems: Gauge;
  readonly lookupRefreshes: Counter<'lookup' | 'outcome'>;
  readonly ruleEvaluations: Counter<'rule' | 'verdict'>;
  readonly inventoryWaits: Counter<'kind'>;
  readonly steps: Counter<'action' | 'status'>;
  readonly approvals: Counter<'rule' | 'answer'>;
  /** Reports the number of events that wait for inventory. Calls `read` at each scrape. */
  readonly watchInventoryWaits: (read: () => Promise<number | undefined>) => void;
  /** Reports the backlogs. Calls `read` at each scrape and omits them when `read` fails. */
  readonly watchBacklogs: (read: () => Promise<readonly BacklogDepth[]>) => void;
  /** Reports the jobs of a queue by state. Calls `read` at each scrape and omits the queue when `read` fails. */
  readonly watchQueue: (queue: string, read: () => Promise<QueueDepths>) => void;
}

/** Creates metrics with their own registry, so that two services in one process do not share counters. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const queues = new Map<string, () => Promise<QueueDepths>>();
  new Gauge({
    name: 'mdm_reflex_queue_jobs',
    help: 'Unfinished jobs and dead letters of a queue, by state. Those in the backlog are delayed.',
    labelNames: ['queue', 'state'],
    registers,
    async collect() {
      this.reset();
      const depths = await Promise.allSettled(
        [...queues].map(async ([queue, read]) => ({ queue, depths: await read() })),
      );
      for (const result of depths) {
        if (result.status === 'rejected') continue;
        for (const [state, count] of Object.entries(result.value.depths)) {
          this.set({ queue: result.value.queue, state }, count);
        }
      }
    },
  });
  let readBacklogs: () => Promise<readonly BacklogDepth[]> = () => Promise.resolve([]);
  const oldestJob = new Gauge({
    name: 'mdm_reflex_backlog_oldest_age_seconds',
    help: 'How long the oldest job has waited in the backlog, by queue and lane.',
    labelNames: ['queue', 'lane'],
    registers,
  });
  new Gauge({
    name: 'mdm_reflex_backlog_jobs',
    help: 'Jobs that wait in the backlog until it is their turn, by queue and lane.',
    labelNames: ['queue', 'lane'],
    registers,
    async collect() {
      this.reset();
      oldestJob.reset();
      const [depths] = await Promise.allSettled([readBacklogs()]);
      if (depths.status === 'rejected') return;
      for (const { queue, lane, jobs, oldestAgeSeconds } of depths.value) {
        this.set({ queue, lane }, jobs);
        if (oldestAgeSeconds !== undefined) oldestJob.set({ queue, lane }, oldestAgeSeconds);
      }
    },
  });
  let readInventoryWaits: () => Promise<number | undefined> = () => Promise.resolve(undefined);
  new Gauge({
    name: 'mdm_reflex_events_waiting_for_inventory',
    help: 'Events with a rule that waits for inventory which the device has not reported yet.',
    registers,
    async collect() {
      const [count] = await Promise.allSettled([readInventoryWaits()]);
      if (count.status === 'fulfilled' && count.value !== undefined) this.set(count.value);
    },
  });
  return {
    registry,
    webhooks: new Counter({
      name: 'mdm_reflex_webhooks_total',
      help: 'Webhooks received, by event type and HTTP status of the response.',
      labelNames: ['type', 'status'],
      registers,
    }),
    webhookOddities: new Counter({
      name: 'mdm_reflex_webhook_oddities_total',
      help: 'Accepted webhooks that do not have the documented form, by what is odd.',
      labelNames: ['kind'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'mdm_reflex_job_duration_seconds',
      help: 'Time a worker spent on one attempt of a job.',
      labelNames: ['queue', 'outcome'],
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    apiCallDuration: new Histogram({
      name: 'mdm_reflex_api_call_duration_seconds',
      help: 'Duration of SimpleMDM API calls, by route and HTTP status ("error" without a response).',
      labelNames: ['account', 'method', 'route', 'status'],
      buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    apiCircuitOpen: new Gauge({
      name: 'mdm_reflex_api_circuit_open',
      help: 'Whether the circuit breaker blocks the API calls of an account (1) or not (0).',
      labelNames: ['account'],
      registers,
    }),
    apiUnreadableFields: new Counter({
      name: 'mdm_reflex_api_unreadable_fields_total',
      help: 'Fields of API records that could not be read and count as unknown, by resource and field; field "id" for records left out.',
      labelNames: ['resource', 'field'],
      registers,
    }),
    apiIncompleteLists: new Counter({
      name: 'mdm_reflex_api_incomplete_lists_total',
      help: 'API lists whose pages did not come to an end, by resource.',
      labelNames: ['resource'],
      registers,
    }),
    rulesHeld: new Counter({
      name: 'mdm_reflex_rules_held_total',
      help: 'Times a rule was held because it exceeded its run limit.',
      labelNames: ['rule'],
      registers,
    }),
    eventChainsCut: new Counter({
      name: 'mdm_reflex_event_chains_cut_total',
      help: 'Chains of events caused by rules that were cut because they became too long, by the last rule.',
      labelNames: ['rule'],
      registers,
    }),
    messages: new Counter({
      name: 'mdm_reflex_messages_total',
      help: 'Delivery attempts of messages, by channel: sent, retried (failed, to be repeated), failed (undelivered).',
      labelNames: ['channel', 'type', 'outcome'],
      registers,
    }),
    scheduleTicks: new Counter({
      name: 'mdm_reflex_schedule_ticks_total',
      help: 'Schedule ticks, by rule.',
      labelNames: ['rule'],
      registers,
    }),
    scheduleTicksSkipped: new Counter({
      name: 'mdm_reflex_schedule_ticks_skipped_total',
      help: 'Schedule ticks skipped in an account because the previous sweep was still running.',
      labelNames: ['rule', 'account'],
      registers,
    }),
    rules: new Gauge({
      name: 'mdm_reflex_rules',
      help: 'Rules loaded.',
      registers,
    }),
    ruleProblems: new Gauge({
      name: 'mdm_reflex_rule_file_problems',
      help: 'Problems in the current rule files, including references that SimpleMDM does not have.',
      registers,
    }),
    lookupRefreshes: new Counter({
      name: 'mdm_reflex_lookup_refreshes_total',
      help: 'Requests for the rows of a lookup over HTTP, by lookup and outcome (updated, unchanged, failed).',
      labelNames: ['lookup', 'outcome'],
      registers,
    }),
    ruleEvaluations: new Counter({
      name: 'mdm_reflex_rule_evaluations_total',
      help: 'Rule evaluations, by verdict.',
      labelNames: ['rule', 'verdict'],
      registers,
    }),
    inventoryWaits: new Counter({
      name: 'mdm_reflex_inventory_waits_total',
      help: 'Events and steps that began to wait for inventory.',
      labelNames: ['kind'],
      registers,
    }),
    steps: new Counter({
      name: 'mdm_reflex_steps_total',
      help: 'Steps, by action and status.',
      labelNames: ['action', 'status'],
      registers,
    }),
    approvals: new Counter({
      name: 'mdm_reflex_approvals_total',
      help: 'Answered approvals, by rule: approved, rejected, expired (nobody decided in time).',
      labelNames: ['rule', 'answer'],
      registers,
    }),
    watchInventoryWaits: (read) => {
      readInventoryWaits = read;
    },
    watchBacklogs: (read) => {
      readBacklogs = read;
    },
    watchQueue: (queue, read) => void queues.set(queue, read),
  };
}
