import type { Event } from '../events/envelope.js';
import type { Shape } from '../rules/model/vocabulary.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import type { DeviceReads } from '../simplemdm/device-reads.js';

/** What a lookup works with. */
export interface FactContext {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  readonly deviceReads: DeviceReads;
  /** Another fact of the same event: its value, or null. */
  readonly fact: (name: 'device') => Promise<unknown>;
  /** Adds a warning about the value to its trace. Do not show values that may be secret. */
  readonly warn: (text: string) => void;
}

/** Data that can be looked up for an event. */
export interface Fact {
  readonly shape: Shape;
  /** What the fact is, for the documentation. */
  readonly about: string;
  /** The cost in API calls. Cheap facts are fetched first, because they may decide a condition alone. */
  readonly cost: number;
  /** The value; null when SimpleMDM has none. A device that has left the account is null, not a failure. */
  readonly fetch: (context: FactContext) => Promise<unknown>;
}
