import { z } from 'zod';
import type { RedisClient } from './open-connection.js';
import { isForbiddenCommand } from './redis-problem.js';

/** A command of Redis with arguments that do no harm on the keys of a probe. `K` stands for the prefix of those keys. */
type Probe = readonly [command: string, ...args: string[]];

/**
 * Every command that scripts or connections use and no other, in an order in which each finds what it needs. BullMQ's scripts are part of
 * it. Tests compare the list with the sources and with what a Redis has really executed.
 */
const COMMANDS: readonly Probe[] = [
  ['SET', 'K:string', '1'],
  ['GET', 'K:string'],
  ['MGET', 'K:string'],
  ['EXISTS', 'K:string'],
  ['TYPE', 'K:string'],
  ['EXPIRE', 'K:string', '60'],
  ['PEXPIRE', 'K:string', '60000'],
  ['PEXPIREAT', 'K:string', '9999999999999'],
  ['PERSIST', 'K:string'],
  ['TTL', 'K:string'],
  ['PTTL', 'K:string'],
  ['INCR', 'K:string'],
  ['INCRBY', 'K:string', '2'],
  ['RENAME', 'K:string', 'K:renamed'],
  ['HSET', 'K:hash', 'a', '1'],
  ['HMSET', 'K:hash', 'b', '2'],
  ['HSETNX', 'K:hash', 'c', '3'],
  ['HINCRBY', 'K:hash', 'a', '1'],
  ['HGET', 'K:hash', 'a'],
  ['HMGET', 'K:hash', 'a'],
  ['HGETALL', 'K:hash'],
  ['HEXISTS', 'K:hash', 'a'],
  ['HKEYS', 'K:hash'],
  ['HLEN', 'K:hash'],
  ['HSCAN', 'K:hash', '0'],
  ['HDEL', 'K:hash', 'a'],
  ['LPUSH', 'K:list', '1'],
  ['RPUSH', 'K:list', '2', '3', '4', '5'],
  ['LSET', 'K:list', '0', '1'],
  ['LLEN', 'K:list'],
  ['LINDEX', 'K:list', '0'],
  ['LPOS', 'K:list', '1'],
  ['LRANGE', 'K:list', '0', '-1'],
  ['LPOP', 'K:list'],
  ['RPOP', 'K:list'],
  ['RPOPLPUSH', 'K:list', 'K:list'],
  ['LREM', 'K:list', '1', '2'],
  ['LTRIM', 'K:list', '0', '1'],
  ['SADD', 'K:set', '1', '2'],
  ['SCARD', 'K:set'],
  ['SISMEMBER', 'K:set', '1'],
  ['SMEMBERS', 'K:set'],
  ['SSCAN', 'K:set', '0'],
  ['SREM', 'K:set', '1'],
  ['ZADD', 'K:zset', '1', 'a', '2', 'b', '3', 'c', '4', 'd'],
  ['ZCARD', 'K:zset'],
  ['ZCOUNT', 'K:zset', '-inf', '+inf'],
  ['ZLEXCOUNT', 'K:zset', '-', '+'],
  ['ZSCORE', 'K:zset', 'a'],
  ['ZRANK', 'K:zset', 'a'],
  ['ZRANDMEMBER', 'K:zset'],
  ['ZRANGE', 'K:zset', '0', '-1'],
  ['ZREVRANGE', 'K:zset', '0', '-1'],
  ['ZRANGEBYSCORE', 'K:zset', '0', '1'],
  ['ZREVRANGEBYSCORE', 'K:zset', '1', '0'],
  ['ZRANGEBYLEX', 'K:zset', '-', '+'],
  ['ZPOPMIN', 'K:zset'],
  ['ZREM', 'K:zset', 'a'],
  ['ZREMRANGEBYSCORE', 'K:zset', '9', '9'],
  ['ZREMRANGEBYRANK', 'K:zset', '9', '9'],
  ['XADD', 'K:stream', '1-1', 'a', '1'],
  ['XLEN', 'K:stream'],
  ['XRANGE', 'K:stream', '-', '+'],
  ['XREAD', 'STREAMS', 'K:stream', '0'],
  ['XDEL', 'K:stream', '1-1'],
  ['XTRIM', 'K:stream', 'MAXLEN', '0'],
  ['TIME'],
  ['DEL', 'K:string', 'K:renamed', 'K:hash', 'K:list'],
  ['UNLINK', 'K:set', 'K:zset', 'K:stream'],
];

/** Commands that no script can run. */
const OUTSIDE_SCRIPTS: readonly Probe[] = [
  ['INFO', 'server'],
  // No script has this hash.
  ['EVALSHA', '0'.repeat(40), '1', 'K:string'],
  ['EVAL', 'return 1', '1', 'K:string'],
  ['BZPOPMIN', 'K:zset', '0.01'],
];

/** Commands that connections send by themselves, and whose refusal they take. */
export const UNCHECKED_COMMANDS: ReadonlySet<string> = new Set([
  ...['AUTH', 'HELLO', 'SELECT', 'CLIENT', 'QUIT', 'PING', 'MULTI', 'EXEC', 'WAIT'],
  ...['CLUSTER', 'ASKING', 'READONLY', 'COMMAND'],
]);

/** The commands that {@link missingRights} tries, in capital letters. */
export const CHECKED_COMMANDS: ReadonlySet<string> = new Set(
  [...OUTSIDE_SCRIPTS, ...COMMANDS].map(([command]) => command),
);

/** Runs each command and returns those that failed, with the reply of Redis. */
const TRY_COMMANDS = `
local failed = {}
for _, probe in ipairs(cjson.decode(ARGV[1])) do
  for index = 2, #probe do
    if string.sub(probe[index], 1, 2) == 'K:' then probe[index] = KEYS[1] .. string.sub(probe[index], 2) end
  end
  local reply = redis.pcall(unpack(probe))
  if type(reply) == 'table' and reply.err then failed[#failed + 1] = { probe[1], reply.err } end
end
return cjson.encode({ failed = failed })
`;

// Lua's cjson writes an empty list as an empty object.
const failures = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.object({ failed: z.union([z.array(z.tuple([z.string(), z.string()])), z.object({})]) }))
  .transform(({ failed }) => (Array.isArray(failed) ? failed : []));

/**
 * Finds every command that the user of a connection may not run, by running each one on keys that begin with `probeKey`. The keys are gone
 * afterward.
 *
 * @param probeKey - A key with the hash tag of a shard, so that all keys of the probe are in its slot.
 * @returns The commands, in capital letters, and what else Redis refused: that it is read-only or full, or that it allows no key with this prefix.
 * @throws when Redis cannot be reached.
 */
export async function missingRights(
  redis: RedisClient,
  probeKey: string,
): Promise<{ readonly commands: readonly string[]; readonly refusal: Error | undefined }> {
  const commands: string[] = [];
  let refusal: Error | undefined;
  const note = (command: string, error: Error): void => {
    if (isForbiddenCommand(error)) commands.push(command);
    else refusal ??= error;
  };
  for (const [command, ...args] of OUTSIDE_SCRIPTS) {
    const withKeys = args.map((argument) => argument.replace(/^K(?=:)/, () => probeKey));
    try {
      await redis.call(command, ...withKeys);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
      if (!error.message.startsWith('NOSCRIPT')) note(command, error);
    }
  }
  if (commands.includes('EVAL') || refusal !== undefined) return { commands, refusal };
  const reply: unknown = await redis.eval(TRY_COMMANDS, 1, probeKey, JSON.stringify(COMMANDS));
  for (const [command, text] of failures.parse(reply)) note(command, new Error(text));
  return { commands, refusal };
}
