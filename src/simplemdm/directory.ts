import type { SimpleMdm } from './client.js';
import type { DeviceGroup } from './device-groups.js';
import type { Enrollment } from './enrollments.js';
import type { Script } from './scripts.js';

/** The lists of an account that change slowly and that rules refer to by name. */
export interface Directory {
  readonly deviceGroups: CachedList<DeviceGroup>;
  readonly scripts: CachedList<Script>;
  readonly enrollments: CachedList<Enrollment>;
}

/** A list that is fetched at most once in a while. */
export interface CachedList<T> {
  /** The list, from memory while it is fresh. */
  readonly get: () => Promise<readonly T[]>;
  /** The list as it is now, unless it was fetched a moment ago: for a name that the one in memory lacks. */
  readonly refresh: () => Promise<readonly T[]>;
}

const FRESH_MS = 60_000;
const JUST_FETCHED_MS = 2000;

/** The directory of an account, each list fetched when it is first asked for. */
export function createDirectory(api: SimpleMdm, now: () => number = Date.now): Directory {
  return {
    deviceGroups: cachedList(() => api.deviceGroups.list(), now),
    scripts: cachedList(() => api.scripts.list(), now),
    enrollments: cachedList(() => api.enrollments.list(), now),
  };
}

function cachedList<T>(list: () => AsyncIterable<T>, now: () => number): CachedList<T> {
  let fetched: { at: number; items: Promise<readonly T[]> } | undefined;
  const atMost = (age: number): Promise<readonly T[]> => {
    if (fetched !== undefined && now() - fetched.at < age) return fetched.items;
    const items = collect(list());
    const mine = { at: now(), items };
    fetched = mine;
    // A failure must not be remembered as the list.
    items.catch(() => {
      if (fetched === mine) fetched = undefined;
    });
    return items;
  };
  return { get: () => atMost(FRESH_MS), refresh: () => atMost(JUST_FETCHED_MS) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
