import type { ErrorCode } from '../errors/registry.js';
import type { Event } from '../events/envelope.js';
import type { FactTrace } from '../journal/trace.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { recordCalls } from '../simplemdm/call-recorder.js';
import type { ApiCall } from '../http/api-call.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';
import { errorText } from '../telemetry/error-text.js';
import { FACTS } from './registry.js';

/** Looks up the facts of one event, each at most once. */
export interface FactFetcher {
  /**
   * The value of a fact, null when there is no such thing.
   *
   * @throws What the lookup threw; it is recorded first.
   */
  readonly fetch: (name: string) => Promise<unknown>;
  /** Forgets what was looked up: it is looked up anew when it is asked for. */
  readonly forget: () => void;
}

/** What a fetcher needs. */
export interface FactFetcherOptions {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  /** Facts of this event from an earlier attempt: they are not fetched again. */
  readonly known: ReadonlyMap<string, FactTrace>;
  /** Told of every fact that was looked up. */
  readonly onFact: (name: string, record: FactTrace) => Promise<void>;
}

/** A fetcher for one event. */
export function createFactFetcher({ event, api, directory, known, onFact }: FactFetcherOptions): FactFetcher {
  const fetched = new Map<string, Promise<unknown>>();
  for (const [name, record] of known) {
    if (record.status !== 'failed') fetched.set(name, Promise.resolve(record.value));
  }
  const fetch = (name: string): Promise<unknown> => {
    const already = fetched.get(name);
    if (already !== undefined) return already;
    const lookup = look(name);
    fetched.set(name, lookup);
    return lookup;
  };
  async function look(name: string): Promise<unknown> {
    const fact = Object.hasOwn(FACTS, name) ? FACTS[name] : undefined;
    if (fact === undefined) throw new Error(`there is no fact "${name}"`);
    const calls: ApiCall[] = [];
    const startedAt = performance.now();
    const note = (outcome: Pick<FactTrace, 'status' | 'value' | 'error' | 'code'>): Promise<void> =>
      onFact(name, {
        ...outcome,
        fetchedAt: new Date().toISOString(),
        durationMs: Math.round(performance.now() - startedAt),
        calls,
      });
    let value: unknown;
    try {
      value = await recordCalls(calls, () => fact.fetch({ event, api, directory, fact: fetch }));
    } catch (error) {
      await note({
        status: 'failed',
        value: null,
        error: errorText(error),
        code: lookupErrorCode(error),
      });
      throw error;
    }
    await note({ status: value === null ? 'missing' : 'found', value });
    return value;
  }
  return { fetch, forget: () => fetched.clear() };
}

/** The code of a failed lookup. */
export function lookupErrorCode(error: unknown): ErrorCode {
  return error instanceof SimpleMdmError ? error.code : 'fact/lookup-failed';
}

/** Whether a failed lookup or call may succeed when it is tried again later. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SimpleMdmError && (error.isRetryable || error.isAccountUnavailable);
}
