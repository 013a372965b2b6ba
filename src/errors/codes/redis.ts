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
  'redis/no-permission': {
    meaning: 'The Redis user may not run commands or use keys that the service needs.',
    cause: 'The ACL of this user lacks the commands or keys that the message names.',
    fix: 'Grant them: ACL SETUSER <user> +<command>, and ~mdm-reflex* for the keys. The service does not start without them.',
  },
  'redis/refused-login': {
    meaning: 'Redis refuses the user or the password.',
    cause: 'REDIS_URL has another user or password than Redis, or none.',
    fix: 'Correct REDIS_URL. Percent-encode special characters in the password.',
  },
  'redis/wrong-kind': {
    meaning: 'REDIS_URL names another kind of Redis than the one that answers.',
    cause:
      'A redis:// URL names a node of a Redis Cluster or a Sentinel, or a redis+cluster:// URL names a Redis that is no cluster.',
    fix: 'Use redis://, redis+cluster:// or redis+sentinel://, as the message says.',
  },
  'redis/unknown-master': {
    meaning: 'The Sentinels know no master of this name.',
    cause: 'The name at the end of a redis+sentinel:// URL is wrong.',
    fix: 'Use one of the names in the message. The service connects by itself when a Sentinel monitors the name.',
  },
  'redis/too-old': {
    meaning: 'This Redis is too old for the service.',
    cause: 'The server has an older version than the message names.',
    fix: 'Upgrade Redis to 6.2 or later, or use Valkey 7.2 or later.',
  },
  'redis/no-database': {
    meaning: 'Redis has no database with the number in REDIS_URL.',
    cause: 'The number is not below the setting "databases" of Redis, which is 16 by default.',
    fix: 'Use a smaller number, or raise "databases" in the configuration of Redis.',
  },
  'redis/other-shards': {
    meaning: 'REDIS_SHARDS differs from the number of shards in which the Redis Cluster holds the events.',
    cause: 'REDIS_SHARDS was changed, or it differs between the processes.',
    fix: 'Set REDIS_SHARDS to the number in the message. To change it, use an empty cluster.',
  },
  'redis/read-only': {
    meaning: 'Redis takes no writes: it is a replica.',
    cause: 'REDIS_URL names a replica, or a fail-over made the master a replica.',
    fix: 'Set REDIS_URL to the master, or use redis+sentinel:// or redis+cluster://, which find the master. The service continues by itself when writes succeed.',
  },
  'redis/full': {
    meaning: 'The memory of Redis is full, so it takes no more writes.',
    cause: 'Redis has reached its maxmemory.',
    fix: 'Raise maxmemory, or shorten REPEAT_WINDOW_DAYS. The service continues by itself when writes succeed.',
  },
  'redis/loading': {
    meaning: 'Redis is reading its data from disk after a start.',
    cause: 'Redis was restarted. Much data takes minutes.',
    fix: 'None: the service waits and continues by itself.',
  },
  'redis/cluster-down': {
    meaning: 'The Redis Cluster cannot serve all keys.',
    cause: 'A master is down and no replica has taken over yet, or some slots have no master.',
    fix: 'Start the missing node, or assign its slots (redis-cli --cluster fix). The service continues by itself.',
  },
  'redis/refuses-writes': {
    meaning: 'Redis is reachable, but does not store an event.',
    cause:
      'The message quotes Redis: a failed snapshot on a full disk, or too few replicas (min-replicas-to-write).',
    fix: 'Fix what the message names. The service continues by itself when writes succeed.',
  },
  'redis/not-checked': {
    meaning: 'The service could not read a setting of Redis.',
    cause: 'Redis does not report it.',
    fix: 'Check by hand that maxmemory-policy is "noeviction".',
  },
  'redis/ca-file': {
    meaning: 'The file with the certificate authorities for Redis cannot be read.',
    cause: 'The path after "ca=" in REDIS_URL is wrong, or this user may not read the file.',
    fix: 'Correct the path. It starts in the folder where the service starts.',
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
