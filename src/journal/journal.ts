import type { Event } from '../events/envelope.js';
import { completedTtlS, deadLetterTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Script } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { startTraceArgs } from './index-entries.js';
import { JOURNAL_LUA, START_TRACE_VALUES } from './index-lua.js';
import { TRACE_MARGIN_S, knownTraceFrom, traceWriteArgs } from './trace-changes.js';
import type { KnownTrace, TraceChanges, TraceWriting } from './trace-changes.js';
import { ALERT_FIELD, journalPrefix, shortId, traceKey } from './trace-keys.js';
import type { AlertTrace, FactTrace, ProcessingTrace, RuleTrace, RunTrace } from './trace.js';

/** An alert and the event in whose trace it is recorded. */
export type RecordedAlert = AlertTrace & { readonly event: string; readonly account: string };

/** Writes the traces of events of one shard. */
export interface Journal {
  /** The time for which a trace that was just started stays, in seconds. */
  readonly startTtlS: number;
  /**
   * Records events that were just enqueued.
   *
   * @returns For each event, whether it is new: false for a repeat.
   */
  readonly recordReceived: (events: readonly Event[]) => Promise<boolean[]>;
  /** Makes sure that an event has a trace, and reads what is known about it, in one round trip. */
  readonly begin: (event: Event) => Promise<KnownTrace>;
  /** Writes everything that an attempt has found out, in one round trip. */
  readonly record: (eventId: string, changes: TraceChanges) => Promise<void>;
  /** Makes sure that an event has a trace: it may have expired while the event waited. */
  readonly ensureTrace: (event: Event) => Promise<void>;
  /** The rules with a completed run for an event. The trace knows them for longer than the queue keeps their jobs. */
  readonly completedRules: (eventId: string) => Promise<ReadonlySet<string>>;
  readonly recordProcessing: (eventId: string, processing: ProcessingTrace) => Promise<void>;
  readonly recordFact: (eventId: string, name: string, fact: FactTrace) => Promise<void>;
  /** The facts that have been looked up for an event. */
  readonly factsOf: (eventId: string) => Promise<ReadonlyMap<string, FactTrace>>;
  readonly recordDecisions: (eventId: string, decisions: readonly RuleTrace[]) => Promise<void>;
  /** The last recorded verdicts on the rules for an event. */
  readonly decisionsOf: (eventId: string) => Promise<readonly RuleTrace[]>;
  /** Records new runs. Does not overwrite a run that has started. */
  readonly recordPlanned: (eventId: string, runs: readonly RunTrace[]) => Promise<void>;
  readonly recordRun: (eventId: string, run: RunTrace) => Promise<void>;
  /** Records alerts, each in the trace of its event. */
  readonly recordAlerts: (alerts: readonly RecordedAlert[]) => Promise<void>;
}

/** KEYS: a key of the shard. ARGV: prefix, TTL, whether a source enqueued the events, then the values of each event. */
const START = defineScript(`${JOURNAL_LUA}
local new = {}
for at = 4, #ARGV, ${START_TRACE_VALUES} do
  new[#new + 1] = journal_start(ARGV[1], ARGV, at, tonumber(ARGV[2]), ARGV[3] == '1')
end
return new`);

/** KEYS: a key of the shard. ARGV: prefix, TTL, then the values of an event. */
const BEGIN = defineScript(`${JOURNAL_LUA}
journal_start(ARGV[1], ARGV, 3, tonumber(ARGV[2]), false)
return journal_known(ARGV[1], ARGV[3])`);

/** KEYS: a key of the shard. ARGV: prefix, short id. */
const KNOWN = defineScript(`${JOURNAL_LUA}
return journal_known(ARGV[1], ARGV[2])`);

/** KEYS: a key of the shard. ARGV: prefix, then what is written. */
const WRITE = defineScript(`${JOURNAL_LUA}
journal_write(ARGV[1], ARGV, 2)`);

/** KEYS: trace. ARGV: field and value, again and again. An alert must not recreate a trace that has expired. */
const RECORD_ALERTS = defineScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], unpack(ARGV)) end`);

/** How the traces of a shard are written. */
export function traceWriting(retention: RetentionDays, redact: Redact): TraceWriting {
  return { redact, completedS: completedTtlS(retention), failedS: deadLetterTtlS(retention) };
}

/** The time for which a trace that was just started stays, in seconds. For `journal_start`. */
export function startTtlS(retention: RetentionDays): number {
  return completedTtlS(retention) + TRACE_MARGIN_S;
}

/**
 * The journal in Redis: one hash per event, and indexes by what lists can be filtered by (index-lua.ts). Traces stay as long as the job of
 * their event, longer when something failed, because the trace of a dead letter is needed to replay it; the janitor deletes them. Secrets
 * are masked, except in events, which a replay uses.
 */
export function openJournal({ redis, prefix }: Shard, retention: RetentionDays, redact: Redact): Journal {
  const writing = traceWriting(retention, redact);
  const ttlS = startTtlS(retention);
  const base = journalPrefix(prefix);
  const run = (script: Script, eventId: string, values: readonly (string | number)[]): Promise<unknown> =>
    runScript(redis, script, [traceKey(prefix, eventId)], [base, ...values]);
  const record: Journal['record'] = async (eventId, changes) => {
    await run(WRITE, eventId, traceWriteArgs(eventId, changes, writing));
  };
  const known = async (eventId: string): Promise<KnownTrace> =>
    knownTraceFrom(await run(KNOWN, eventId, [shortId(eventId)]));
  const start = async (events: readonly Event[], bySource: boolean): Promise<boolean[]> => {
    const [first] = events;
    if (first === undefined) return [];
    const values = [ttlS, bySource ? '1' : '0', ...events.flatMap(startTraceArgs)];
    const results = await run(START, first.id, values);
    return events.map((_event, index) => Array.isArray(results) && results[index] === 1);
  };
  return {
    startTtlS: ttlS,
    recordReceived: (events) => start(events, true),
    ensureTrace: async (event) => {
      await start([event], false);
    },
    begin: async (event) => knownTraceFrom(await run(BEGIN, event.id, [ttlS, ...startTraceArgs(event)])),
    record,
    completedRules: async (eventId) => (await known(eventId)).completedRules,
    factsOf: async (eventId) => (await known(eventId)).facts,
    decisionsOf: async (eventId) => (await known(eventId)).decisions,
    recordProcessing: (eventId, processing) => record(eventId, { processing }),
    recordFact: (eventId, name, fact) => record(eventId, { facts: [[name, fact]] }),
    recordDecisions: (eventId, decisions) => record(eventId, { decisions }),
    recordPlanned: (eventId, planned) => record(eventId, { planned }),
    recordRun: (eventId, changed) => record(eventId, { runs: [changed] }),
    recordAlerts: async (alerts) => {
      await Promise.all(
        alerts.map(({ event, account: _account, ...alert }) => {
          const value = JSON.stringify(redactJson(redact, alert));
          const field = `${ALERT_FIELD}${alert.id}:${alert.channel}`;
          return runScript(redis, RECORD_ALERTS, [traceKey(prefix, event)], [field, value]);
        }),
      );
    },
  };
}
