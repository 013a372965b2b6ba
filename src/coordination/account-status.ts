import type { Redis } from 'ioredis';
import { z } from 'zod';
import { ACCOUNTS_KEY } from '../journal/trace-keys.js';

/** Whether an account's API can be used, as the last call told. */
const accountStatus = z.object({ ok: z.boolean(), reason: z.string().optional(), since: z.string() });

/** Whether an account's API can be used. */
export type AccountStatus = z.output<typeof accountStatus>;

/** Notes that an account's API works or why it does not. */
export async function recordAccountStatus(
  redis: Redis,
  account: string,
  status: AccountStatus,
): Promise<void> {
  await redis.hset(ACCOUNTS_KEY, account, JSON.stringify(status));
}

/** The accounts by name as the workers last found them. */
export async function accountStatuses(redis: Redis): Promise<Record<string, AccountStatus>> {
  const fields = await redis.hgetall(ACCOUNTS_KEY);
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, accountStatus.parse(JSON.parse(value))]),
  );
}
