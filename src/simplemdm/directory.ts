import type { AssignmentGroup } from './assignment-groups.js';
import type { SimpleMdm } from './client.js';
import type { CustomAttribute } from './custom-attributes.js';
import type { DepServer } from './dep-servers.js';
import type { DeviceGroup } from './device-groups.js';
import type { Enrollment } from './enrollments.js';
import type { Profile } from './profiles.js';
import type { Script } from './scripts.js';

/** The lists of an account that change slowly and that rules refer to by name. */
export interface Directory {
  readonly assignmentGroups: CachedList<AssignmentGroup>;
  readonly customAttributes: CachedList<CustomAttribute>;
  readonly depServers: CachedList<DepServer>;
  readonly deviceGroups: CachedList<DeviceGroup>;
  readonly enrollments: CachedList<Enrollment>;
  readonly profiles: CachedList<Profile>;
  readonly scripts: CachedList<Script>;
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

/** A longer list is not kept in memory: it is fetched whenever it is asked for. */
const MOST_KEPT = 10_000;

/** The directory of an account, each list fetched when it is first asked for. */
export function createDirectory(api: SimpleMdm, now: () => number = Date.now): Directory {
  return {
    assignmentGroups: cachedList(() => api.assignmentGroups.list(), now),
    customAttributes: cachedList(() => api.customAttributes.list(), now),
    depServers: cachedList(() => api.depServers.list(), now),
    deviceGroups: cachedList(() => api.deviceGroups.list(), now),
    enrollments: cachedList(() => api.enrollments.list(), now),
    profiles: cachedList(() => api.profiles.list(), now),
    scripts: cachedList(() => api.scripts.list(), now),
  };
}

/** Keeps a list for a minute. */
export function cachedList<T>(
  list: () => AsyncIterable<T>,
  now: () => number,
  mostKept = MOST_KEPT,
): CachedList<T> {
  let fetched: { at: number; items: Promise<readonly T[]> } | undefined;
  const atMost = (age: number): Promise<readonly T[]> => {
    if (fetched !== undefined && now() - fetched.at < age) return fetched.items;
    const items = collect(list());
    const mine = { at: now(), items };
    fetched = mine;
    const forget = (): void => {
      if (fetched === mine) fetched = undefined;
    };
    items.then(
      (all) => {
        if (all.length > mostKept) forget();
      },
      // A failure must not be remembered as the list.
      forget,
    );
    return items;
  };
  return { get: () => atMost(FRESH_MS), refresh: () => atMost(JUST_FETCHED_MS) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
