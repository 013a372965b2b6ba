import { z } from 'zod';
import { factTrace, ruleTrace } from './trace.js';
import type { FactTrace, ProcessingTrace, RuleTrace, RunTrace } from './trace.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { NO_PART, foldedText, processingPart, runPart } from './index-entries.js';
import { FACT_FIELD, RUN_FIELD, shortId } from './trace-keys.js';

/** What is written to a trace at once. */
export interface TraceChanges {
  readonly facts?: Iterable<readonly [name: string, fact: FactTrace]>;
  readonly decisions?: readonly RuleTrace[];
  /** New runs. They do not overwrite a run that has started. */
  readonly planned?: readonly RunTrace[];
  readonly runs?: readonly RunTrace[];
  readonly processing?: ProcessingTrace;
}

/** What a worker needs of a trace to begin. */
export interface KnownTrace {
  /** The facts that have been looked up for the event. */
  readonly facts: ReadonlyMap<string, FactTrace>;
  /** The last recorded verdicts on the rules. */
  readonly decisions: readonly RuleTrace[];
  /** The rules with a completed run. The trace knows them for longer than the queue keeps their jobs. */
  readonly completedRules: ReadonlySet<string>;
}

/** How traces are written. */
export interface TraceWriting {
  /** Masks secrets in everything except events, which a replay uses. */
  readonly redact: Redact;
  /** Seconds for which a trace is kept after a write: of what failed, or of anything else. */
  readonly completedS: number;
  readonly failedS: number;
}

/**
 * A trace stays this much longer in Redis than it is kept, so that the janitor deletes it with its index entries. Redis deletes it by
 * itself only when no process runs for that long.
 */
export const TRACE_MARGIN_S = 12 * 3600;

const named = z.object({ name: z.string().min(1) });

/** The name of a device from its fact. */
export function deviceNameOf(device: FactTrace | undefined): string | undefined {
  return named.safeParse(device?.value).data?.name;
}

/** The values for `journal_write` (index-lua.ts). */
export function traceWriteArgs(
  eventId: string,
  { facts = [], decisions, planned = [], runs = [], processing }: TraceChanges,
  { redact, completedS, failedS }: TraceWriting,
): string[] {
  const fields: string[][] = [];
  const set = (mode: 'set' | 'new', name: string, value: unknown, part = NO_PART): void =>
    void fields.push([mode, name, JSON.stringify(redactJson(redact, value)), ...part]);
  let deviceName = '';
  for (const [name, fact] of facts) {
    set('set', FACT_FIELD + name, fact);
    if (name === 'device') deviceName = foldedText(redact(deviceNameOf(fact) ?? ''));
  }
  for (const run of planned) set('new', RUN_FIELD + run.rule, run, runPart(run, redact));
  for (const run of runs) set('set', RUN_FIELD + run.rule, run, runPart(run, redact));
  if (decisions !== undefined) set('set', 'decisions', decisions);
  if (processing !== undefined) set('set', 'processing', processing, processingPart(processing, redact));
  const hasFailed = processing?.state === 'failed' || runs.some(({ status }) => status === 'failed');
  // A run that waits for weeks must find its trace afterwards.
  const waitsUntil = Math.max(0, ...runs.map(latestWait));
  const waitS = Math.max(0, Math.ceil((waitsUntil - Date.now()) / 1000));
  const ttlS = (hasFailed ? failedS : completedS) + waitS + TRACE_MARGIN_S;
  return [shortId(eventId), String(ttlS), deviceName, String(fields.length), ...fields.flat()];
}

const ruleTraces = z.array(ruleTrace);

const knownReply = z.tuple([z.string(), z.string()]).rest(z.string());

/** Reads what `journal_known` (index-lua.ts) gave. */
export function knownTraceFrom(reply: unknown): KnownTrace {
  const [index, decisions, ...facts] = knownReply.parse(reply);
  const completed = index.split('\n').flatMap((line) => /^@r:([^\t]*)\tcompleted\t/.exec(line)?.[1] ?? []);
  const entries = facts.flatMap((name, position): [string, FactTrace][] =>
    position % 2 === 0 ? [[name, factTrace.parse(JSON.parse(facts[position + 1] ?? ''))]] : [],
  );
  return {
    facts: new Map(entries),
    decisions: decisions === '' ? [] : ruleTraces.parse(JSON.parse(decisions)),
    completedRules: new Set(completed),
  };
}

/** The latest time at which a step of the run continues, in epoch milliseconds. */
function latestWait({ steps }: RunTrace): number {
  const times = steps
    .flatMap((step) => [step, ...(step.itemRecords ?? [])])
    .map(({ nextAttemptAt }) => Date.parse(nextAttemptAt ?? ''));
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}
