import type { Shard } from '../queues/shards.js';
import { z } from 'zod';

/** A hash by account name, with an {@link AccountStatus} as JSON. */
const accountsKey = (prefix: string): string => `${prefix}:accounts`;

const accountStatus = z.object({ ok: z.boolean(), reason: z.string().optional(), since: z.string() });

/** Whether SimpleMDM accepts the API key of an account, as of the last call. */
export type AccountStatus = z.output<typeof accountStatus>;

/** Records whether SimpleMDM accepts the API key of an account. */
export async function recordAccountStatus(
  { redis, prefix }: Shard,
  account: string,
  status: AccountStatus,
): Promise<void> {
  await redis.hset(accountsKey(prefix), account, JSON.stringify(status));
}

/** The status of each account that a worker has called. */
export async function accountStatuses({ redis, prefix }: Shard): Promise<Record<string, AccountStatus>> {
  const fields = await redis.hgetall(accountsKey(prefix));
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, accountStatus.parse(JSON.parse(value))]),
  );
}
