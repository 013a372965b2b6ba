import type { ChainableCommander, Redis } from 'ioredis';
import type { Event } from '../events/envelope.js';
import { INDEX_KEY, RUN_FIELD, factsKey, traceKey } from './keys.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { factTrace } from './trace.js';
import type { FactTrace, ProcessingTrace, RuleTrace, RunTrace } from './trace.js';

/** Writes what happens to events. */
export interface Journal {
  /**
   * Notes events that were just queued.
   *
   * @returns For each, whether it is new: false for a repeat.
   */
  readonly recordReceived: (events: readonly Event[]) => Promise<boolean[]>;
  readonly recordProcessing: (eventId: string, processing: ProcessingTrace) => Promise<void>;
  readonly recordFact: (eventId: string, name: string, fact: FactTrace) => Promise<void>;
  /** The facts that were already looked up for an event. */
  readonly factsOf: (eventId: string) => Promise<Map<string, FactTrace>>;
  readonly recordDecisions: (eventId: string, decisions: readonly RuleTrace[]) => Promise<void>;
  /** Notes runs that were just planned; a run that has begun keeps what it has. */
  readonly recordPlanned: (eventId: string, runs: readonly RunTrace[]) => Promise<void>;
  readonly recordRun: (eventId: string, run: RunTrace) => Promise<void>;
}

/** Begins the trace of an event unless there is one; answers 1 when it is new. */
const RECORD_IF_NEW = `
if redis.call('HSETNX', KEYS[1], 'event', ARGV[1]) == 0 then return 0 end
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4])
return 1`;

/** How long traces are kept, in days. */
export interface JournalRetention {
  readonly repeatWindowDays: number;
  readonly deadLetterDays: number;
}

const DAY_S = 86_400;

/** Lengthens the life of a key, never shortens it: a dead letter stays as long as it can be replayed. (`EXPIRE … GT` needs Redis 7.) */
const KEEP_AT_LEAST =
  "if redis.call('TTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end";

/** The journal in Redis: one hash per event that expires by itself, and an index by time. Secrets are masked on the way in. */
export function openJournal(redis: Redis, retention: JournalRetention, redact: Redact): Journal {
  const keepS = retention.repeatWindowDays * DAY_S;
  const keepFailedS = Math.max(retention.deadLetterDays, retention.repeatWindowDays) * DAY_S;
  const text = (value: unknown): string => JSON.stringify(redactJson(redact, value));

  const write = async (
    eventId: string,
    failed: boolean,
    commands: (pipeline: ChainableCommander) => void,
  ): Promise<void> => {
    const pipeline = redis.pipeline();
    commands(pipeline);
    const seconds = failed ? keepFailedS : keepS;
    for (const key of [traceKey(eventId), factsKey(eventId)]) pipeline.eval(KEEP_AT_LEAST, 1, key, seconds);
    resultsOf(await pipeline.exec());
  };

  return {
    recordReceived: async (events) => {
      const pipeline = redis.pipeline();
      for (const event of events) {
        pipeline.eval(
          RECORD_IF_NEW,
          2,
          traceKey(event.id),
          INDEX_KEY,
          text(event),
          keepS,
          Date.parse(event.receivedAt),
          event.id,
        );
      }
      pipeline.zremrangebyscore(INDEX_KEY, '-inf', Date.now() - keepFailedS * 1000);
      const results = resultsOf(await pipeline.exec());
      return events.map((_event, index) => results[index] === 1);
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
    recordRun: (eventId, run) =>
      write(eventId, run.status === 'failed', (pipeline) =>
        pipeline.hset(traceKey(eventId), RUN_FIELD + run.rule, text(run)),
      ),
  };
}

/** The answers of a pipeline; throws the first error among them. */
export function resultsOf(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}
