import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';

const onceClaim = z.object({
  /** The event of the run. */
  event: z.string(),
  /** When the run started: ISO 8601. */
  at: z.string(),
});

/** The run of a rule with `once_per` that started first for a key. */
export type OnceClaim = z.output<typeof onceClaim>;

/** A claim with the keys that it holds, such as `serial:C02X…` and `id:54`. */
export interface ListedOnceClaim extends OnceClaim {
  readonly account: string;
  readonly rule: string;
  readonly keys: readonly string[];
}

/** The claims of the rules with `once_per`. */
export interface OnceClaims {
  /** The claim of another event on any of the keys. */
  readonly other: (
    scope: OnceScope,
    keys: readonly string[],
    event: string,
  ) => Promise<OnceClaim | undefined>;
  /** Claims all keys for an event, or none. Returns the claim of another event that has one of them. */
  readonly claim: (
    scope: OnceScope,
    keys: readonly string[],
    claim: OnceClaim,
  ) => Promise<OnceClaim | undefined>;
  readonly list: () => Promise<ListedOnceClaim[]>;
  /** Forgets the claims of a rule that hold one of the keys; all when no keys are given. Returns their number. */
  readonly reset: (scope: OnceScope, keys?: readonly string[]) => Promise<number>;
}

/** A rule in an account. */
export interface OnceScope {
  readonly account: string;
  readonly rule: string;
}

/** KEYS: claims, index. ARGV: event, claim, scope, keys. */
const CLAIM = defineScript(`
  for i = 4, #ARGV do
    local other = redis.call('hget', KEYS[1], ARGV[i])
    if other and cjson.decode(other).event ~= ARGV[1] then return other end
  end
  for i = 4, #ARGV do redis.call('hsetnx', KEYS[1], ARGV[i], ARGV[2]) end
  redis.call('sadd', KEYS[2], ARGV[3])
  return ''
`);

/**
 * The claims in Redis: one hash per rule and account, by key. They have no expiry, because `once_per` has none: their number is bounded by
 * the devices, or the keys, that the rule has run for.
 */
export function openOnceClaims({ redis, prefix }: Shard): OnceClaims {
  /** A set with the scopes that have claims, as JSON. */
  const indexKey = `${prefix}:once`;
  const claimsKey = ({ account, rule }: OnceScope): string => `${indexKey}:${account}:${rule}`;
  const claimsOf = async (scope: OnceScope): Promise<ListedOnceClaim[]> => {
    const byEvent = new Map<string, ListedOnceClaim>();
    for (const [key, text] of Object.entries(await redis.hgetall(claimsKey(scope)))) {
      const claim = onceClaim.parse(JSON.parse(text));
      const keys = [...(byEvent.get(claim.event)?.keys ?? []), key].sort();
      byEvent.set(claim.event, { ...scope, ...claim, keys });
    }
    return [...byEvent.values()].sort((a, b) => a.at.localeCompare(b.at));
  };
  return {
    other: async (scope, keys, event) => {
      const found = await redis.hmget(claimsKey(scope), ...keys);
      return found
        .flatMap((text) => (text === null ? [] : [onceClaim.parse(JSON.parse(text))]))
        .find((claim) => claim.event !== event);
    },
    claim: async (scope, keys, claim) => {
      const values = [claim.event, JSON.stringify(claim), JSON.stringify([scope.account, scope.rule])];
      const other = z
        .string()
        .parse(await runScript(redis, CLAIM, [claimsKey(scope), indexKey], [...values, ...keys]));
      return other === '' ? undefined : onceClaim.parse(JSON.parse(other));
    },
    list: async () => {
      const scopes = (await redis.smembers(indexKey)).map((member) => {
        const [account, rule] = z.tuple([z.string(), z.string()]).parse(JSON.parse(member));
        return { account, rule };
      });
      return (await Promise.all(scopes.map(claimsOf))).flat();
    },
    reset: async (scope, keys) => {
      const claims = (await claimsOf(scope)).filter(
        (claim) => keys === undefined || claim.keys.some((key) => keys.includes(key)),
      );
      const fields = claims.flatMap((claim) => claim.keys);
      if (fields.length > 0) await redis.hdel(claimsKey(scope), ...fields);
      return claims.length;
    },
  };
}
