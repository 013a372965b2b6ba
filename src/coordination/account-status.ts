import type { Redis } from 'ioredis';
import { z } from 'zod';
import { KEY_PREFIX } from '../queues/connection.js';

/** A hash by account name, with an {@link AccountStatus} as JSON. */
const ACCOUNTS_KEY = `${KEY_PREFIX}:accounts`;

const accountStatus = z.object({ ok: z.boolean(), reason: z.string().optional(), since: z.string() });

/** Whether SimpleMDM accepts the API key of an account, as of the last call. */
export type AccountStatus = z.output<typeof accountStatus>;

/** Records whether SimpleMDM accepts the API key of an account. */
export async function recordAccountStatus(
  redis: Redis,
  account: string,
  status: AccountStatus,
): Promise<void> {
  await redis.hset(ACCOUNTS_KEY, account, JSON.stringify(status));
}

/** The status of each account that a worker has called. */
export async function accountStatuses(redis: Redis): Promise<Record<string, AccountStatus>> {
  const fields = await redis.hgetall(ACCOUNTS_KEY);
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, accountStatus.parse(JSON.parse(value))]),
  );
}
