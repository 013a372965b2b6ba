import { Cluster, Redis } from 'ioredis';
import { describeRedis } from '../config/redis-url.js';
import type { RedisTarget } from '../config/redis-url.js';
import type { UserProblem } from '../errors/user-problem.js';
import { diagnoseRedis } from './diagnose-redis.js';
import type { RedisClient } from './open-connection.js';
import { missingRights } from './redis-commands.js';
import { claimShardCount } from './shard-count.js';
import type { Shard } from './shards.js';
import { redisProblemOf } from './redis-problem.js';
import type { RedisProblem } from './redis-problem.js';

/** What is checked. */
export interface RedisCheck {
  readonly redis: RedisClient;
  /** Undefined for the private Redis. */
  readonly target: RedisTarget | undefined;
  readonly shards: readonly Shard[];
  /** Stores an event under keys of its own, with the script that stores webhooks, and deletes it. Throws what Redis answers. */
  readonly storeProbe: (shard: Shard) => Promise<unknown>;
}

/** The oldest Redis that BullMQ and the scripts support. Valkey reports the version of Redis that it is compatible with. */
const OLDEST_VERSION = [6, 2] as const;

/**
 * Checks everything that the service needs of Redis before it starts: reachable, of the right kind, new enough, every command allowed, and an event is
 * stored in each shard.
 *
 * @returns The first problem, and what could lose events.
 */
export async function checkRedis(
  check: RedisCheck,
): Promise<{ readonly problem: RedisProblem | undefined; readonly warnings: readonly UserProblem[] }> {
  const { redis, shards } = check;
  const where = whereOf(check);
  if (redis.status !== 'ready') return { problem: await connectionProblem(check), warnings: [] };
  const warnings: UserProblem[] = [];
  try {
    // ioredis goes on with database 0 when there is no such database.
    const database = redis instanceof Redis ? (redis.options.db ?? 0) : 0;
    if (redis instanceof Redis && database > 0) await redis.select(database);
    const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
    for (const server of servers) {
      const info = await server.info();
      // Without the right to INFO, which the check of rights names together with the other commands.
      if (info === '') continue;
      const problem = kindProblem(info, redis, where) ?? versionProblem(info, where);
      if (problem !== undefined) return { problem, warnings };
      if (warnings.length === 0) warnings.push(...evictionWarnings(info));
    }
    for (const shard of shards) {
      const { commands, refusal } = await missingRights(shard.redis, `${shard.prefix}:check`);
      if (commands.length > 0) return { problem: rightsProblem(commands, check), warnings };
      if (refusal !== undefined) return { problem: redisProblemOf(refusal, where), warnings };
    }
    if (redis instanceof Cluster) {
      const stored = await claimShardCount(redis, shards.length);
      if (stored !== shards.length) return { problem: shardsProblem(stored, shards.length), warnings };
    }
  } catch (error) {
    return { problem: await failure(error, check), warnings };
  }
  return { problem: await storageProblem(check), warnings };
}

/** Why a webhook could not be taken now; undefined when each shard stores a probe. */
export async function storageProblem(check: RedisCheck): Promise<RedisProblem | undefined> {
  if (check.redis.status !== 'ready') return connectionProblem(check);
  try {
    await Promise.all(check.shards.map((shard) => check.storeProbe(shard)));
    return undefined;
  } catch (error) {
    return failure(error, check);
  }
}

function whereOf({ target }: RedisCheck): string {
  return target === undefined ? 'the private Redis' : describeRedis(target);
}

/** Errors of the connection and of the cluster need a look at the servers; others say what they mean. */
async function failure(error: unknown, check: RedisCheck): Promise<RedisProblem> {
  const isReply = error instanceof Error && error.name === 'ReplyError';
  if (!isReply && check.redis.status !== 'ready') return connectionProblem(check);
  return redisProblemOf(error, whereOf(check), isReply);
}

async function connectionProblem(check: RedisCheck): Promise<RedisProblem> {
  if (check.target !== undefined) return diagnoseRedis(check.target);
  return { code: 'redis/unreachable', isPermanent: false, message: `${whereOf(check)} is unreachable` };
}

function kindProblem(info: string, redis: RedisClient, where: string): RedisProblem | undefined {
  const mode = fieldOf(info, 'redis_mode');
  const form =
    mode === 'sentinel'
      ? 'redis+sentinel://…/master'
      : mode === 'cluster' && !(redis instanceof Cluster)
        ? 'redis+cluster://'
        : undefined;
  return form === undefined
    ? undefined
    : {
        code: 'redis/wrong-kind',
        isPermanent: true,
        message: `${where} is a ${mode === 'cluster' ? 'node of a Redis Cluster' : 'Sentinel'}: REDIS_URL must be ${form}`,
      };
}

function versionProblem(info: string, where: string): RedisProblem | undefined {
  const version = fieldOf(info, 'redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_VERSION;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return {
    code: 'redis/too-old',
    isPermanent: true,
    message: `${where} is Redis ${version === '' ? 'of an unknown version' : version}; the service needs ${OLDEST_VERSION.join('.')} or later`,
  };
}

/** A Redis that evicts keys under memory pressure drops queued events silently. */
function evictionWarnings(info: string): UserProblem[] {
  const policy = fieldOf(info, 'maxmemory_policy');
  if (policy === 'noeviction') return [];
  if (policy === undefined)
    return [
      {
        code: 'redis/not-checked',
        message:
          'Redis does not report its maxmemory-policy; check that it is "noeviction", or queued events could be deleted',
      },
    ];
  return [
    {
      code: 'redis/eviction-policy',
      message: `Redis may delete queued events when its memory is full: maxmemory-policy is "${policy}"; set it to "noeviction"`,
    },
  ];
}

function rightsProblem(commands: readonly string[], check: RedisCheck): RedisProblem {
  const { target } = check;
  const user = target?.username ?? 'default';
  const grants = commands.map((command) => `+${command.toLowerCase()}`).join(' ');
  return {
    code: 'redis/no-permission',
    isPermanent: true,
    message: `the Redis user "${user}" may not run ${commands.join(', ')} at ${whereOf(check)}: ACL SETUSER ${user} ${grants}`,
  };
}

function shardsProblem(stored: number, count: number): RedisProblem {
  return {
    code: 'redis/other-shards',
    isPermanent: true,
    message: `REDIS_SHARDS is ${count}, but the events in this Redis Cluster are spread over ${stored} shards: set REDIS_SHARDS=${stored}`,
  };
}

function fieldOf(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
}
