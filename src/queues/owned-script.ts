import { defineScript } from './script.js';
import type { Script } from './script.js';
import { TAKE_PART_LUA } from './script-parts.js';

/** A script that a worker runs for a job that it has. Another worker's job stays as it is. */
export interface OwnedScript {
  readonly script: Script;
}

/**
 * Defines a script that renews the lock of a job and does the rest in the same step; it does nothing when another worker has the job. So
 * what must not happen twice needs no check of its own.
 *
 * The body has `save_data()`, which saves the data of the job, and `take_part()`, which returns the next of its parts as a table. It must not
 * return nil.
 *
 * KEYS: job, stalled jobs. ARGV: job id, token, life of the lock in milliseconds, data (JSON), parts.
 *
 * @param lua - Functions that the body uses.
 */
export function defineOwnedScript(lua: string, body: string): OwnedScript {
  // As extendLock and updateData of BullMQ 6.7 do it.
  return {
    script: defineScript(`${lua}${TAKE_PART_LUA}
if redis.call('GET', KEYS[1] .. ':lock') ~= ARGV[2] or redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('SET', KEYS[1] .. ':lock', ARGV[2], 'PX', ARGV[3])
redis.call('SREM', KEYS[2], ARGV[1])
local function save_data() redis.call('HSET', KEYS[1], 'data', ARGV[4]) end
local take_part = parts_from(5)
${body}`),
  };
}

/** Only renews the lock. */
export const CONFIRM_OWNERSHIP = defineOwnedScript('', 'return 1');

/** Only saves the data. */
export const SAVE_DATA = defineOwnedScript('', 'save_data() return 1');
