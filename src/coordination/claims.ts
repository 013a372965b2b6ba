import type { Shard } from '../queues/shards.js';
import { replayTtlS } from '../queues/retention.js';
import type { RetentionDays } from '../queues/retention.js';

/** Claims an object at SimpleMDM for a step. False when another step has claimed the object. */
export type Claim = (object: string) => Promise<boolean>;

/** Who claims. */
export interface ClaimOwner {
  readonly account: string;
  /** Identifies the step of the run; the same in every attempt and replay. */
  readonly step: string;
}

/**
 * The claims of one step. Script jobs look alike: without claims, a step whose response was lost could take the job of another run on
 * the same device for its own, and its script would never run.
 *
 * A step in doubt can look for its job for as long as its run can be replayed, so a claim must outlive every dead letter that was in
 * doubt when the claim was made ({@link replayTtlS}). A run that fails again after its replay is a new dead letter. Its step has seen the
 * claims of all candidates during the replay, and each access renews a claim.
 */
export function openClaims({ redis, prefix }: Shard, owner: ClaimOwner, retention: RetentionDays): Claim {
  const ttlS = replayTtlS(retention);
  return async (object) => {
    const key = `${prefix}:claim:${owner.account}:${object}`;
    if ((await redis.set(key, owner.step, 'EX', ttlS, 'NX')) !== null) return true;
    await redis.expire(key, ttlS);
    return (await redis.get(key)) === owner.step;
  };
}
