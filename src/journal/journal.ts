import type { ChainableCommander, Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { pipelineResults } from '../queues/connection.js';
import { DAY_S } from '../queues/queues.js';
import type { Retention } from '../queues/queues.js';
import { ALERT_FIELD, INDEX_KEY, RUN_FIELD, factsKey, traceKey } from './trace-keys.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { factTrace, runTrace } from './trace.js';
import type { AlertTrace, FactTrace, ProcessingTrace, RuleTrace, RunTrace } from './trace.js';

/** Writes what happens to events. */
export interface Journal {
  /**
   * Notes events that were just queued.
   *
   * @returns For each, whether it is new: false for a repeat.
   */
  readonly recordReceived: (events: readonly Event[]) => Promise<boolean[]>;
  /** Makes sure that an event that is worked on has a trace, should its receiver have died right after queueing it. */
  readonly ensureTrace: (event: Event) => Promise<void>;
  /** The rules whose runs for an event are completed; known longer than the queue keeps their jobs. */
  readonly completedRules: (eventId: string) => Promise<ReadonlySet<string>>;
  readonly recordProcessing: (eventId: string, processing: ProcessingTrace) => Promise<void>;
  readonly recordFact: (eventId: string, name: string, fact: FactTrace) => Promise<void>;
  /** The facts that were already looked up for an event. */
  readonly factsOf: (eventId: string) => Promise<Map<string, FactTrace>>;
  readonly recordDecisions: (eventId: string, decisions: readonly RuleTrace[]) => Promise<void>;
  /** Notes runs that were just planned; a run that has begun keeps what it has. */
  readonly recordPlanned: (eventId: string, runs: readonly RunTrace[]) => Promise<void>;
  readonly recordRun: (eventId: string, run: RunTrace) => Promise<void>;
  /** Notes what became of alerts, each under the event that it is about. */
  readonly recordAlerts: (alerts: readonly (AlertTrace & { readonly event: string })[]) => Promise<void>;
}

/** Begins the trace of an event unless there is one; with a mark of the receiver, answers 1 when that is new. */
const BEGIN_TRACE = `
local new = 0
if ARGV[5] == '1' then new = redis.call('HSETNX', KEYS[1], 'received', '1') end
redis.call('HSETNX', KEYS[1], 'event', ARGV[1])
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[4])
return new`;

/** A trace that has expired must not come back for the sake of an alert. */
const RECORD_ALERT =
  "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end";

/** How long traces are kept: as long as a repeat is recognised, those of dead letters as long as they can be replayed. */
export type JournalRetention = Pick<Retention, 'repeatWindowDays' | 'deadLetterDays'>;

/** Lengthens the life of a key, never shortens it: a dead letter stays as long as it can be replayed. (`EXPIRE … GT` needs Redis 7.) */
const EXTEND_TTL =
  "if redis.call('TTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end";

/** The journal in Redis: one hash per event that expires by itself, and an index by time. Secrets are masked on the way in, but for events, which are worked with. */
export function openJournal(redis: Redis, retention: JournalRetention, redact: Redact): Journal {
  const keepS = retention.repeatWindowDays * DAY_S;
  const keepFailedS = Math.max(retention.deadLetterDays, retention.repeatWindowDays) * DAY_S;
  const text = (value: unknown): string => JSON.stringify(redactJson(redact, value));

  const startTrace = (pipeline: ChainableCommander, event: Event, byReceiver: boolean): void => {
    // Not masked: a replay works with it.
    const arguments_ = [
      JSON.stringify(event),
      keepS,
      Date.parse(event.receivedAt),
      event.id,
      byReceiver ? '1' : '0',
    ];
    pipeline.eval(BEGIN_TRACE, 2, traceKey(event.id), INDEX_KEY, ...arguments_);
  };

  const write = async (
    eventId: string,
    failed: boolean,
    commands: (pipeline: ChainableCommander) => void,
    until = 0,
  ): Promise<void> => {
    const pipeline = redis.pipeline();
    commands(pipeline);
    // What waits for weeks has its trace when it goes on.
    const ahead = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    const seconds = (failed ? keepFailedS : keepS) + ahead;
    for (const key of [traceKey(eventId), factsKey(eventId)]) pipeline.eval(EXTEND_TTL, 1, key, seconds);
    pipelineResults(await pipeline.exec());
  };

  return {
    recordReceived: async (events) => {
      const pipeline = redis.pipeline();
      for (const event of events) startTrace(pipeline, event, true);
      pipeline.zremrangebyscore(INDEX_KEY, '-inf', Date.now() - keepFailedS * 1000);
      const results = pipelineResults(await pipeline.exec());
      return events.map((_event, index) => results[index] === 1);
    },
    ensureTrace: async (event) => {
      const pipeline = redis.pipeline();
      startTrace(pipeline, event, false);
      pipelineResults(await pipeline.exec());
    },
    completedRules: async (eventId) => {
      const fields = await redis.hgetall(traceKey(eventId));
      const runs = Object.entries(fields).flatMap(([name, value]) =>
        name.startsWith(RUN_FIELD) ? [runTrace.parse(JSON.parse(value))] : [],
      );
      return new Set(runs.filter((run) => run.status === 'completed').map((run) => run.rule));
    },
    recordProcessing: (eventId, processing) =>
      write(eventId, processing.state === 'failed', (pipeline) =>
        pipeline.hset(traceKey(eventId), 'processing', text(processing)),
      ),
    recordFact: (eventId, name, fact) =>
      write(eventId, false, (pipeline) => pipeline.hset(factsKey(eventId), name, text(fact))),
    factsOf: async (eventId) => {
      const fields = await redis.hgetall(factsKey(eventId));
      return new Map(
        Object.entries(fields).map(([name, value]) => [name, factTrace.parse(JSON.parse(value))]),
      );
    },
    recordDecisions: (eventId, decisions) =>
      write(eventId, false, (pipeline) => pipeline.hset(traceKey(eventId), 'decisions', text(decisions))),
    recordPlanned: (eventId, runs) =>
      write(eventId, false, (pipeline) => {
        for (const run of runs) pipeline.hsetnx(traceKey(eventId), RUN_FIELD + run.rule, text(run));
      }),
    recordAlerts: async (alerts) => {
      const pipeline = redis.pipeline();
      for (const { event, ...about } of alerts) {
        pipeline.eval(
          RECORD_ALERT,
          1,
          traceKey(event),
          `${ALERT_FIELD}${about.id}:${about.channel}`,
          text(about),
        );
      }
      pipelineResults(await pipeline.exec());
    },
    recordRun: (eventId, run) =>
      write(
        eventId,
        run.status === 'failed',
        (pipeline) => pipeline.hset(traceKey(eventId), RUN_FIELD + run.rule, text(run)),
        latestWait(run),
      ),
  };
}

/** Until when the steps of a run wait, in epoch milliseconds. */
function latestWait({ steps }: RunTrace): number {
  const times = steps
    .flatMap((step) => [step, ...(step.each ?? [])])
    .map(({ nextAttemptAt }) => Date.parse(nextAttemptAt ?? ''));
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
