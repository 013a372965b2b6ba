import type { Redis } from 'ioredis';
import { KEY_PREFIX } from '../queues/connection.js';

/** Says for a step of a run that a thing at SimpleMDM is its own; false when another one has said so before. */
export type Claim = (thing: string) => Promise<boolean>;

const CLAIM_TTL_S = 31 * 86_400;

/**
 * Claims for one step of one run. Script jobs look alike: without a claim, a run that lost an answer could take the job of another run
 * on the same device for its own, and its script would never run.
 */
export function openClaims(redis: Redis, account: string, owner: string): Claim {
  return async (thing) => {
    const key = `${KEY_PREFIX}:claim:${account}:${thing}`;
    if ((await redis.set(key, owner, 'EX', CLAIM_TTL_S, 'NX')) !== null) return true;
    return (await redis.get(key)) === owner;
  };
}
