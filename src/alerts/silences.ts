import { randomBytes } from 'node:crypto';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { matchesGlob } from '../rules/cel/glob.js';
import { labelsOf } from './alert.js';
import type { Alert } from './alert.js';

/** Suppresses alerts with matching labels for a time. */
export const silence = z.object({
  id: z.string(),
  /** A pattern for each label, with `*` as a wildcard. All must match. */
  match: z.record(z.string(), z.string()),
  /** ISO 8601. */
  until: z.string(),
  comment: z.string(),
});

/** Suppresses alerts with matching labels for a time. */
export type Silence = z.output<typeof silence>;

/** Whether an active silence matches an alert. */
export function isSilenced(alert: Alert, { match, until }: Silence, now: Date): boolean {
  if (Date.parse(until) <= now.getTime()) return false;
  const labels = labelsOf(alert);
  return Object.entries(match).every(([name, pattern]) => {
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return value !== undefined && matchesGlob(value, pattern);
  });
}

/** The silences, in Redis. */
export interface Silences {
  readonly add: (silence: Omit<Silence, 'id'>) => Promise<Silence>;
  /** The active silences, sorted by their end. */
  readonly list: (now: Date) => Promise<Silence[]>;
  /** False when there is no such silence. */
  readonly remove: (id: string) => Promise<boolean>;
}

/** Opens the silences. */
export function openSilences({ redis, prefix }: Shard): Silences {
  const key = `${prefix}:alerts:silences`;
  return {
    add: async (settings) => {
      const added = { id: randomBytes(4).toString('hex'), ...settings };
      await redis.hset(key, added.id, JSON.stringify(added));
      return added;
    },
    list: async (now) => {
      const all = Object.values(await redis.hgetall(key)).map((text) => silence.parse(JSON.parse(text)));
      const expired = all.filter(({ until }) => Date.parse(until) <= now.getTime());
      if (expired.length > 0) await redis.hdel(key, ...expired.map(({ id }) => id));
      return all
        .filter((candidate) => !expired.includes(candidate))
        .sort((a, b) => a.until.localeCompare(b.until));
    },
    remove: async (id) => (await redis.hdel(key, id)) === 1,
  };
}
