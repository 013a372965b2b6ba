import { createHash } from 'node:crypto';
import { errorText } from '../telemetry/error-text.js';
import type { RedisClient } from './shards.js';

/** A Lua script that Redis runs as one step. */
export interface Script {
  readonly lua: string;
  /** The SHA-1 of the script, by which Redis caches it. */
  readonly sha1: string;
}

/** Defines a script. */
export function defineScript(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/**
 * Runs a script by its SHA-1, so that its text is sent only when Redis does not have it yet: after a start, a fail-over, or `SCRIPT
 * FLUSH`.
 *
 * @see https://redis.io/docs/latest/commands/evalsha/
 */
export async function runScript(
  redis: RedisClient,
  { lua, sha1 }: Script,
  keys: readonly string[],
  values: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha1, keys.length, ...keys, ...values);
  } catch (error) {
    if (!errorText(error).startsWith('NOSCRIPT')) throw error;
    return redis.eval(lua, keys.length, ...keys, ...values);
  }
}
