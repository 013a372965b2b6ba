import type { ErrorDefinitions } from '../error-definition.js';

/** Redis, whether private or named by REDIS_URL. */
export const REDIS_ERRORS = {
  'redis/unreachable': {
    meaning: 'The service cannot reach Redis.',
    cause: 'Redis is stopped, restarting or overloaded, or REDIS_URL is wrong.',
    fix: 'Start Redis or correct REDIS_URL. The service reconnects by itself and loses no accepted event.',
  },
  'redis/eviction-policy': {
    meaning: 'Redis may delete queued events when its memory is full.',
    cause: 'The maxmemory-policy of this Redis is not "noeviction".',
    fix: 'Set maxmemory-policy to "noeviction" in the configuration of Redis.',
  },
  'redis/not-installed': {
    meaning: 'The service found no Redis to run.',
    cause: 'REDIS_URL is not set, and neither redis-server nor valkey-server is installed.',
    fix: 'Install redis-server or valkey-server, or set REDIS_URL.',
  },
  'redis/private-start-failed': {
    meaning: 'The private Redis did not start.',
    cause: 'The disk is full, or the data in DATA_DIR/redis is damaged. The message quotes the Redis log.',
    fix: 'Fix what the Redis log names, then start the service again.',
  },
  'redis/private-exited': {
    meaning: 'The private Redis ended while the service was running. The service restarts it.',
    cause: 'The system killed Redis to free memory, or somebody stopped it.',
    fix: 'None when this happens once. When it repeats, give the machine more memory and read DATA_DIR/redis/redis.log.',
  },
  'redis/private-stop-timeout': {
    meaning: 'The private Redis did not stop in time, so the service killed it.',
    cause: 'A slow disk.',
    fix: 'None: the append-only file holds the data. When it repeats, move DATA_DIR to a faster disk.',
  },
  'redis/data-dir': {
    meaning: 'The service cannot use DATA_DIR.',
    cause: 'The path is not a folder, or this user may not write to it.',
    fix: 'Make it a folder that this user can write to, or set DATA_DIR to another folder.',
  },
  'redis/data-dir-in-use': {
    meaning: 'Another mdm-reflex process uses this DATA_DIR.',
    cause: 'The service runs twice with the same DATA_DIR.',
    fix: 'Stop the other process, or give this process a DATA_DIR of its own.',
  },
} as const satisfies ErrorDefinitions;
