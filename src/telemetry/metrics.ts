import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Jobs of one queue by state, as `mdm_reflex_queue_jobs` shows them. */
export type QueueDepths = Readonly<Record<string, number>>;

/** The service's metrics; names follow the Prometheus conventions (base units, `_total` for counters). */
export interface Metrics {
  readonly registry: Registry;
  readonly webhooks: Counter<'type' | 'status'>;
  readonly jobDuration: Histogram<'queue' | 'outcome'>;
  readonly apiCallDuration: Histogram<'account' | 'method' | 'route' | 'status'>;
  readonly apiCircuitOpen: Gauge<'account'>;
  readonly ruleHolds: Counter<'rule'>;
  readonly chainsCut: Counter<'rule'>;
  readonly messages: Counter<'channel' | 'type' | 'outcome'>;
  readonly scheduleTicks: Counter<'rule'>;
  readonly scheduleTicksPassedBy: Counter<'rule' | 'account'>;
  readonly rules: Gauge;
  readonly ruleProblems: Gauge;
  readonly ruleEvaluations: Counter<'rule' | 'verdict'>;
  readonly steps: Counter<'action' | 'status'>;
  /** Calls `read` at each scrape and shows the queue's jobs by state; a Redis that is away leaves the last values out. */
  readonly watchQueue: (queue: string, read: () => Promise<QueueDepths>) => void;
}

/** Fresh metrics with a registry of their own, so that two services in one process do not share counters. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const queues = new Map<string, () => Promise<QueueDepths>>();
  new Gauge({
    name: 'mdm_reflex_queue_jobs',
    help: 'Jobs in a queue by state',
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
  return {
    registry,
    webhooks: new Counter({
      name: 'mdm_reflex_webhooks_total',
      help: 'Webhooks by event type and HTTP status answered',
      labelNames: ['type', 'status'],
      registers,
    }),
    jobDuration: new Histogram({
      name: 'mdm_reflex_job_duration_seconds',
      help: 'Time a worker spent on one attempt at a job',
      labelNames: ['queue', 'outcome'],
      buckets: [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    apiCallDuration: new Histogram({
      name: 'mdm_reflex_api_call_duration_seconds',
      help: 'SimpleMDM API calls by route and status ("error" when there was no answer)',
      labelNames: ['account', 'method', 'route', 'status'],
      buckets: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
      registers,
    }),
    apiCircuitOpen: new Gauge({
      name: 'mdm_reflex_api_circuit_open',
      help: 'Whether the calls of an account are held because SimpleMDM does not answer (1) or not (0)',
      labelNames: ['account'],
      registers,
    }),
    ruleHolds: new Counter({
      name: 'mdm_reflex_rule_holds_total',
      help: 'How often a rule was held because it began too many runs',
      labelNames: ['rule'],
      registers,
    }),
    chainsCut: new Counter({
      name: 'mdm_reflex_chains_cut_total',
      help: 'Chains of events brought about by rules that went on for too long and were cut, by the last rule',
      labelNames: ['rule'],
      registers,
    }),
    messages: new Counter({
      name: 'mdm_reflex_messages_total',
      help: 'Messages to people by channel: sent, retried (an attempt that failed), failed (put aside)',
      labelNames: ['channel', 'type', 'outcome'],
      registers,
    }),
    scheduleTicks: new Counter({
      name: 'mdm_reflex_schedule_ticks_total',
      help: 'How often the time had come for a rule with a schedule',
      labelNames: ['rule'],
      registers,
    }),
    scheduleTicksPassedBy: new Counter({
      name: 'mdm_reflex_schedule_ticks_passed_by_total',
      help: 'How often the time had come for a rule in an account that was not through with the last one',
      labelNames: ['rule', 'account'],
      registers,
    }),
    rules: new Gauge({
      name: 'mdm_reflex_rules',
      help: 'Rules that are in force',
      registers,
    }),
    ruleProblems: new Gauge({
      name: 'mdm_reflex_rule_file_problems',
      help: 'Problems of the rule files as they are now; above 0 the rules of before are in force',
      registers,
    }),
    ruleEvaluations: new Counter({
      name: 'mdm_reflex_rule_evaluations_total',
      help: 'Rules considered for an event, by what came of it',
      labelNames: ['rule', 'verdict'],
      registers,
    }),
    steps: new Counter({
      name: 'mdm_reflex_steps_total',
      help: 'Steps by action and outcome',
      labelNames: ['action', 'status'],
      registers,
    }),
    watchQueue: (queue, read) => void queues.set(queue, read),
  };
}
