import { recordWarning, recordWarnings } from './answer-warnings.js';
import type { AnswerWarning } from './answer-warnings.js';
import type { AssignmentGroup } from './assignment-groups.js';
import type { SimpleMdm } from './client.js';
import type { CustomAttribute } from './custom-attributes.js';
import type { CustomDeclaration } from './custom-declarations.js';
import type { DepServer } from './dep-servers.js';
import type { DeviceGroup } from './device-groups.js';
import type { Enrollment } from './enrollments.js';
import { shareTask } from './lane.js';
import type { SharedTask } from './lane.js';
import type { Profile } from './profiles.js';
import type { Script } from './scripts.js';

/** The lists of an account that change rarely and that rules refer to by name. */
export interface CachedLists {
  readonly assignmentGroups: CachedList<AssignmentGroup>;
  readonly customAttributes: CachedList<CustomAttribute>;
  readonly customDeclarations: CachedList<CustomDeclaration>;
  readonly depServers: CachedList<DepServer>;
  /** Without their devices. */
  readonly deviceGroups: CachedList<DeviceGroup>;
  readonly enrollments: CachedList<Enrollment>;
  readonly profiles: CachedList<Profile>;
  readonly scripts: CachedList<Script>;
}

/**
 * A list that is fetched once a minute at most. A list whose pages do not come to an end is an error (kind `incomplete`) and is not
 * cached: rules look for names in the list, and a name that is missing in part of a list may be in the rest.
 */
export interface CachedList<T> {
  /** The list, from memory if fetched within the last minute. */
  readonly get: () => Promise<readonly T[]>;
  /** The list, from memory only if fetched within the last two seconds. For a name that {@link get} does not have. */
  readonly refresh: () => Promise<readonly T[]>;
}

const MAX_AGE_MS = 60_000;
const MAX_REFRESH_AGE_MS = 2000;

/** Longer lists are not kept in memory. */
const MAX_CACHED_ITEMS = 10_000;

/** The cached lists of an account. Each is fetched when it is first used. */
export function createCachedLists(api: SimpleMdm, now: () => number = Date.now): CachedLists {
  return {
    assignmentGroups: cachedList(() => api.assignmentGroups.list(), now),
    customAttributes: cachedList(() => api.customAttributes.list(), now),
    customDeclarations: cachedList(() => api.customDeclarations.list(), now),
    depServers: cachedList(() => api.depServers.list(), now),
    deviceGroups: cachedList(() => withoutDevices(api.deviceGroups.list()), now),
    enrollments: cachedList(() => api.enrollments.list(), now),
    profiles: cachedList(() => api.profiles.list(), now),
    scripts: cachedList(() => api.scripts.list(), now),
  };
}

/** Rules name groups; the ids of all devices of a large fleet would stay in memory for nothing. */
async function* withoutDevices(groups: AsyncIterable<DeviceGroup>): AsyncGenerator<DeviceGroup> {
  for await (const { relationships: _devices, ...group } of groups) yield group;
}

/**
 * Caches a list for a minute, with the warnings about it: a record that was left out is missing for each reader, and not only for the
 * first one. A failure or a list of more than `maxItems` is not cached.
 */
export function cachedList<T>(
  list: () => AsyncIterable<T>,
  now: () => number,
  maxItems = MAX_CACHED_ITEMS,
): CachedList<T> {
  interface Entry {
    readonly at: number;
    readonly items: SharedTask<readonly T[]>;
    readonly warnings: AnswerWarning[];
  }
  let cached: Entry | undefined;
  const begin = (): Entry => {
    const warnings: AnswerWarning[] = [];
    const items = shareTask(() => recordWarnings(warnings, () => collect(list())));
    const entry = { at: now(), items, warnings };
    cached = entry;
    const evict = (): void => {
      if (cached === entry) cached = undefined;
    };
    items.join().then((all) => {
      if (all.length > maxItems) evict();
    }, evict);
    return entry;
  };
  const noOlderThan = async (age: number): Promise<readonly T[]> => {
    const { items, warnings } = cached !== undefined && now() - cached.at < age ? cached : begin();
    try {
      return await items.join();
    } finally {
      for (const warning of warnings) recordWarning(warning);
    }
  };
  return { get: () => noOlderThan(MAX_AGE_MS), refresh: () => noOlderThan(MAX_REFRESH_AGE_MS) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
