import type { ChainableCommander } from 'ioredis';
import { z } from 'zod';
import type { Event } from '../events/envelope.js';
import { pipelineResults } from '../queues/connection.js';
import type { Shard } from '../queues/shards.js';
import { completedTtlS, deadLetterTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';
import { ALERT_FIELD, RUN_FIELD, factsKey, indexKey, traceKey } from './trace-keys.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { factTrace, ruleTrace, runTrace } from './trace.js';
import type { AlertTrace, FactTrace, ProcessingTrace, RuleTrace, RunTrace } from './trace.js';

/** Writes the traces of events. */
export interface Journal {
  /**
   * Records events that were just enqueued.
   *
   * @returns For each event, whether it is new: false for a repeat.
   */
  readonly recordReceived: (events: readonly Event[]) => Promise<boolean[]>;
  /** Makes sure that an event has a trace: its receiver may have died right after it enqueued the event. */
  readonly ensureTrace: (event: Event) => Promise<void>;
  /** The rules with a completed run for an event. The trace knows them for longer than the queue keeps their jobs. */
  readonly completedRules: (eventId: string) => Promise<ReadonlySet<string>>;
  readonly recordProcessing: (eventId: string, processing: ProcessingTrace) => Promise<void>;
  readonly recordFact: (eventId: string, name: string, fact: FactTrace) => Promise<void>;
  /** The facts that have been looked up for an event. */
  readonly factsOf: (eventId: string) => Promise<Map<string, FactTrace>>;
  readonly recordDecisions: (eventId: string, decisions: readonly RuleTrace[]) => Promise<void>;
  /** The last recorded verdicts on the rules for an event. */
  readonly decisionsOf: (eventId: string) => Promise<RuleTrace[]>;
  /** Records new runs. Does not overwrite a run that has started. */
  readonly recordPlanned: (eventId: string, runs: readonly RunTrace[]) => Promise<void>;
  readonly recordRun: (eventId: string, run: RunTrace) => Promise<void>;
  /** Records alerts, each in the trace of its event. */
  readonly recordAlerts: (alerts: readonly (AlertTrace & { readonly event: string })[]) => Promise<void>;
}

/** Starts the trace of an event unless it exists. For the receiver, returns 1 when the event is new. */
const START_TRACE = `
local new = 0
if ARGV[5] == '1' then new = redis.call('HSETNX', KEYS[1], 'received', '1') end
redis.call('HSETNX', KEYS[1], 'event', ARGV[1])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[4])
return new`;

/** An alert must not recreate a trace that has expired. */
const RECORD_ALERT =
  "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end";

/** Extends the TTL of a key, never shortens it. (`EXPIRE … GT` needs Redis 7.) */
const EXTEND_TTL =
  "if redis.call('TTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end";

/**
 * The journal in Redis: one hash per event that expires, and an index by time. A trace expires with the job of its event: later when
 * something failed, because the trace of a dead letter is needed to replay it. Secrets are masked, except in events, which a replay uses.
 */
export function openJournal({ redis, prefix }: Shard, retention: RetentionDays, redact: Redact): Journal {
  const completedS = completedTtlS(retention);
  const failedS = deadLetterTtlS(retention);
  const text = (value: unknown): string => JSON.stringify(redactJson(redact, value));

  const startTrace = (pipeline: ChainableCommander, event: Event, byReceiver: boolean): void => {
    // Not masked: a replay uses the event.
    const values = [
      JSON.stringify(event),
      completedS,
      Date.parse(event.receivedAt),
      event.id,
      byReceiver ? '1' : '0',
    ];
    pipeline.eval(START_TRACE, 2, traceKey(prefix, event.id), indexKey(prefix), ...values);
  };

  const write = async (
    eventId: string,
    failed: boolean,
    commands: (pipeline: ChainableCommander) => void,
    waitsUntil = 0,
  ): Promise<void> => {
    const pipeline = redis.pipeline();
    commands(pipeline);
    // A run that waits for weeks must find its trace afterwards.
    const waitS = Math.max(0, Math.ceil((waitsUntil - Date.now()) / 1000));
    const seconds = (failed ? failedS : completedS) + waitS;
    for (const key of [traceKey(prefix, eventId), factsKey(prefix, eventId)])
      pipeline.eval(EXTEND_TTL, 1, key, seconds);
    pipelineResults(await pipeline.exec());
  };

  return {
    recordReceived: async (events) => {
      const pipeline = redis.pipeline();
      for (const event of events) startTrace(pipeline, event, true);
      pipeline.zremrangebyscore(indexKey(prefix), '-inf', Date.now() - failedS * 1000);
      const results = pipelineResults(await pipeline.exec());
      return events.map((_event, index) => results[index] === 1);
    },
    ensureTrace: async (event) => {
      const pipeline = redis.pipeline();
      startTrace(pipeline, event, false);
      pipelineResults(await pipeline.exec());
    },
    completedRules: async (eventId) => {
      const fields = await redis.hgetall(traceKey(prefix, eventId));
      const runs = Object.entries(fields).flatMap(([name, value]) =>
        name.startsWith(RUN_FIELD) ? [runTrace.parse(JSON.parse(value))] : [],
      );
      return new Set(runs.filter((run) => run.status === 'completed').map((run) => run.rule));
    },
    recordProcessing: (eventId, processing) =>
      write(eventId, processing.state === 'failed', (pipeline) =>
        pipeline.hset(traceKey(prefix, eventId), 'processing', text(processing)),
      ),
    recordFact: (eventId, name, fact) =>
      write(eventId, false, (pipeline) => pipeline.hset(factsKey(prefix, eventId), name, text(fact))),
    factsOf: async (eventId) => {
      const fields = await redis.hgetall(factsKey(prefix, eventId));
      return new Map(
        Object.entries(fields).map(([name, value]) => [name, factTrace.parse(JSON.parse(value))]),
      );
    },
    recordDecisions: (eventId, decisions) =>
      write(eventId, false, (pipeline) =>
        pipeline.hset(traceKey(prefix, eventId), 'decisions', text(decisions)),
      ),
    decisionsOf: async (eventId) => {
      const decisions = await redis.hget(traceKey(prefix, eventId), 'decisions');
      return decisions === null ? [] : z.array(ruleTrace).parse(JSON.parse(decisions));
    },
    recordPlanned: (eventId, runs) =>
      write(eventId, false, (pipeline) => {
        for (const run of runs) pipeline.hsetnx(traceKey(prefix, eventId), RUN_FIELD + run.rule, text(run));
      }),
    recordAlerts: async (alerts) => {
      const pipeline = redis.pipeline();
      for (const { event, ...alert } of alerts) {
        pipeline.eval(
          RECORD_ALERT,
          1,
          traceKey(prefix, event),
          `${ALERT_FIELD}${alert.id}:${alert.channel}`,
          text(alert),
        );
      }
      pipelineResults(await pipeline.exec());
    },
    recordRun: (eventId, run) =>
      write(
        eventId,
        run.status === 'failed',
        (pipeline) => pipeline.hset(traceKey(prefix, eventId), RUN_FIELD + run.rule, text(run)),
        latestWait(run),
      ),
  };
}

/** The latest time at which a step of the run continues, in epoch milliseconds. */
function latestWait({ steps }: RunTrace): number {
  const times = steps
    .flatMap((step) => [step, ...(step.itemRecords ?? [])])
    .map(({ nextAttemptAt }) => Date.parse(nextAttemptAt ?? ''));
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
