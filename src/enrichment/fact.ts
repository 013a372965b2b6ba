import type { Event } from '../events/envelope.js';
import type { Shape } from '../rules/model/vocabulary.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';

/** What a fact is looked up with. */
export interface FactContext {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  /** Another fact of the same event: its value, or null. */
  readonly fact: (name: 'device') => Promise<unknown>;
}

/** Something that can be looked up for an event. */
export interface Fact {
  readonly shape: Shape;
  /** What it is, for the documentation. */
  readonly about: string;
  /** How dear it is in API calls: cheaper facts are fetched first, since they may decide a condition alone. */
  readonly cost: number;
  /** The value, or null when there is no such thing: a device that has left is a fact, not a failure. */
  readonly fetch: (context: FactContext) => Promise<unknown>;
}
