import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';
import { matchesGlob } from '../rules/cel/glob.js';
import { labelsOf } from './alert.js';
import type { Alert } from './alert.js';

/** Alerts that nobody is to be told of for a while. */
export const silence = z.object({
  id: z.string(),
  /** By label: a text, with `*` for anything. All must fit. */
  match: z.record(z.string(), z.string()),
  /** ISO 8601. */
  until: z.string(),
  comment: z.string(),
});

/** Alerts that nobody is to be told of for a while. */
export type Silence = z.output<typeof silence>;

/** Whether a silence takes in an alert. */
export function isSilenced(alert: Alert, { match, until }: Silence, now: Date): boolean {
  if (Date.parse(until) <= now.getTime()) return false;
  const labels = labelsOf(alert);
  return Object.entries(match).every(([name, pattern]) => {
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return value !== undefined && matchesGlob(value, pattern);
  });
}

const KEY = `${KEY_PREFIX}:alerts:silences`;

/** The silences, in Redis. */
export interface Silences {
  readonly add: (given: Omit<Silence, 'id'>) => Promise<Silence>;
  /** Those that are not over, the one that ends first first. */
  readonly list: (now: Date) => Promise<Silence[]>;
  /** False when there is no such silence. */
  readonly remove: (id: string) => Promise<boolean>;
}

/** The silences, in Redis. */
export function openSilences(redis: Redis): Silences {
  return {
    add: async (given) => {
      const added = { id: randomBytes(4).toString('hex'), ...given };
      await redis.hset(KEY, added.id, JSON.stringify(added));
      return added;
    },
    list: async (now) => {
      const all = Object.values(await redis.hgetall(KEY)).map((text) => silence.parse(JSON.parse(text)));
      const over = all.filter(({ until }) => Date.parse(until) <= now.getTime());
      if (over.length > 0) await redis.hdel(KEY, ...over.map(({ id }) => id));
      return all.filter((one) => !over.includes(one)).sort((a, b) => a.until.localeCompare(b.until));
    },
    remove: async (id) => (await redis.hdel(KEY, id)) === 1,
  };
}
