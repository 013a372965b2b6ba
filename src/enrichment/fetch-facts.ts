import type { ErrorCode } from '../errors/registry.js';
import type { Event } from '../events/envelope.js';
import type { FactTrace } from '../journal/trace.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { recordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import { recordCalls } from '../simplemdm/call-recorder.js';
import type { ApiCall } from '../http/api-call.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import type { DeviceReads } from '../simplemdm/device-reads.js';
import { errorText } from '../telemetry/error-text.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import type { LookupRows } from '../lookups/lookup-rows.js';
import type { Lookups } from '../lookups/lookups.js';
import { lookupOfFact } from '../rules/model/vocabulary.js';
import { createLookupFact } from './lookup-fact.js';
import type { LookupFact } from './lookup-fact.js';
import { FACTS } from './registry.js';

/** Fetches the facts of one event, each once at most. */
export interface FactFetcher {
  /**
   * The value of a fact; null when SimpleMDM has none.
   *
   * @throws The error of the lookup, after `onFact`.
   */
  readonly fetch: (name: string) => Promise<unknown>;
  /** Drops values, so that facts are fetched again: those with the given names, or all. */
  readonly clear: (names?: Iterable<string>) => void;
  /** Reports the rows of lookups that rules have read since the last call. */
  readonly reportUsedRows: () => Promise<void>;
}

/** What a fetcher works with. */
export interface FactFetcherOptions {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  /** Reads the device record; each with a call of its own by default. */
  readonly deviceReads?: DeviceReads;
  /** The lookups of the live rules. */
  readonly lookups?: Lookups;
  /** Facts from an earlier attempt. They are fetched again only if they failed. */
  readonly known: ReadonlyMap<string, FactTrace>;
  /** Called after each fetch, and for a lookup also when rules have read more of it. */
  readonly onFact: (name: string, record: FactTrace) => Promise<void>;
}

/** Creates a fetcher for one event. */
export function createFactFetcher({
  event,
  api,
  lists,
  deviceReads = api.devices,
  lookups,
  known,
  onFact,
}: FactFetcherOptions): FactFetcher {
  /** The lookups that were read, and how to report what of them. */
  const tables = new Map<
    string,
    { readonly lookup: LookupFact; readonly report: (value: unknown) => Promise<void> }
  >();
  const fetched = new Map<string, Promise<unknown>>();
  for (const [name, record] of known) {
    // The trace of a lookup does not have its rows.
    if (record.status !== 'failed' && lookupOfFact(name) === undefined)
      fetched.set(name, Promise.resolve(record.value));
  }
  const fetch = (name: string): Promise<unknown> => {
    const pending = fetched.get(name);
    if (pending !== undefined) return pending;
    const lookup = lookUp(name);
    fetched.set(name, lookup);
    return lookup;
  };
  const fetchFact = (name: string, warn: (text: string) => void): Promise<unknown> => {
    const fact = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
    if (fact === undefined) throw new Error(`there is no fact "${name}"`);
    return fact.fetch({ event, api, lists, deviceReads, fact: fetch, warn });
  };
  const fetchLookup = async (name: string): Promise<LookupRows> => {
    const rows = await lookups?.rowsOf(name);
    if (rows === undefined) throw new Error(`no rule file defines the lookup "${name}"`);
    return rows;
  };
  async function lookUp(name: string): Promise<unknown> {
    const calls: ApiCall[] = [];
    const notes: string[] = [];
    const answerWarnings: AnswerWarning[] = [];
    const warn = (text: string): void => void notes.push(text);
    const startedAt = performance.now();
    const report = (outcome: Pick<FactTrace, 'status' | 'value' | 'error' | 'code'>): Promise<void> => {
      const warnings = shortened([...notes, ...answerWarnings.map(({ text }) => text)]);
      return onFact(name, {
        ...outcome,
        fetchedAt: new Date().toISOString(),
        durationMs: Math.round(performance.now() - startedAt),
        calls,
        ...(warnings.length > 0 && { warnings }),
      });
    };
    let value: unknown;
    let rows: LookupRows | undefined;
    const lookup = lookupOfFact(name);
    try {
      if (lookup !== undefined) {
        rows = await fetchLookup(lookup);
        notes.push(...rows.warnings);
      } else {
        value = await recordWarnings(answerWarnings, () => recordCalls(calls, () => fetchFact(name, warn)));
      }
    } catch (error) {
      await report({
        status: 'failed',
        value: null,
        error: errorText(error),
        code: lookupErrorCode(error),
      });
      throw error;
    }
    if (rows !== undefined) {
      const opened = createLookupFact(rows, known.get(name)?.value);
      tables.set(name, { lookup: opened, report: (value) => report({ status: 'found', value }) });
      await report({ status: 'found', value: opened.record() });
      return opened.table;
    }
    await report({ status: value === null ? 'missing' : 'found', value });
    return value;
  }
  return {
    fetch,
    clear: (names) => {
      for (const name of names ?? [...fetched.keys()]) fetched.delete(name);
    },
    reportUsedRows: async () => {
      for (const { lookup, report } of tables.values()) {
        if (lookup.takeChanged()) await report(lookup.record());
      }
    },
  };
}

/** A field that has changed its type does so in each of a thousand records. */
const MAX_WARNINGS = 20;

/** The warnings that a trace keeps, each once. */
export function shortened(warnings: readonly string[]): string[] {
  const different = [...new Set(warnings)];
  const kept = different.slice(0, MAX_WARNINGS);
  const more = different.length - kept.length;
  return more === 0 ? kept : [...kept, `${more} more warnings`];
}

/** The code of a failed lookup. */
function lookupErrorCode(error: unknown): ErrorCode {
  return error instanceof SimpleMdmError || error instanceof LookupUnavailableError
    ? error.code
    : 'fact/lookup-failed';
}

/** Whether a retry of a failed lookup may succeed. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof LookupUnavailableError) return true;
  return error instanceof SimpleMdmError && (error.isRetryable || error.isAccountUnavailable);
}
