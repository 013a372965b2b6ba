import type { UserProblem } from '../errors/user-problem.js';
import { errorText } from '../telemetry/error-text.js';

/** Why Redis cannot be used. */
export interface RedisProblem extends UserProblem {
  /** It does not pass by itself: somebody must change REDIS_URL, a right or the server, and start the service again. */
  readonly isPermanent: boolean;
  /** The server answers, and the connection follows in a moment. */
  readonly isSettling?: true;
}

/** Redis words a missing right for a command differently outside and inside scripts, and from version to version. */
const FORBIDDEN_COMMAND = /no permissions to run|can't run this command/i;
const FORBIDDEN_KEY = /no permissions to access|can't access at least one/i;

/** Whether the user may not run a command. */
export function isForbiddenCommand(error: Error): boolean {
  return FORBIDDEN_COMMAND.test(error.message);
}

/** How a reply of Redis begins, or what it contains, and what that means. */
const MEANINGS: readonly {
  readonly reply: RegExp;
  readonly code: UserProblem['code'];
  readonly isPermanent: boolean;
  readonly message: (where: string, reply: string) => string;
}[] = [
  {
    reply: FORBIDDEN_KEY,
    code: 'redis/no-permission',
    isPermanent: true,
    message: (where) => `the Redis user may not use the keys of the service at ${where}: grant ~mdm-reflex*`,
  },
  {
    reply: /NOPERM|no permissions|can't run this command/i,
    code: 'redis/no-permission',
    isPermanent: true,
    message: (where, reply) => `the Redis user lacks a right at ${where}: ${reply}`,
  },
  {
    reply: /WRONGPASS|NOAUTH|AUTH called without any password|invalid (username|password)/i,
    code: 'redis/refused-login',
    isPermanent: true,
    message: (where, reply) =>
      `${where} refuses the login: ${reply.replace(/^\w+ /, '')}; correct user and password in REDIS_URL`,
  },
  {
    reply: /cluster support disabled/i,
    code: 'redis/wrong-kind',
    isPermanent: true,
    message: (where) => `${where} is no Redis Cluster: begin REDIS_URL with redis:// (or rediss://)`,
  },
  {
    reply: /DB index is out of range/,
    code: 'redis/no-database',
    isPermanent: true,
    message: (where) =>
      `${where} has no database with the number at the end of REDIS_URL: use a smaller number, or raise its setting "databases"`,
  },
  {
    reply: /^(MOVED|CROSSSLOT)/,
    code: 'redis/wrong-kind',
    isPermanent: true,
    message: (where) =>
      `${where} belongs to a Redis Cluster: begin REDIS_URL with redis+cluster:// (or rediss+cluster://)`,
  },
  {
    reply: /READONLY/,
    code: 'redis/read-only',
    isPermanent: false,
    message: (where) =>
      `${where} is a read-only replica: point REDIS_URL to the master, or wait for the fail-over`,
  },
  {
    reply: /OOM/,
    code: 'redis/full',
    isPermanent: false,
    message: (where) => `the memory of ${where} is full (maxmemory): raise maxmemory`,
  },
  {
    reply: /LOADING/,
    code: 'redis/loading',
    isPermanent: false,
    message: (where) => `${where} is reading its data from disk`,
  },
  {
    reply: /CLUSTERDOWN|MASTERDOWN/,
    code: 'redis/cluster-down',
    isPermanent: false,
    message: (where, reply) => `${where} cannot serve all keys: ${reply}`,
  },
  {
    reply: /MISCONF|NOREPLICAS|Not enough good replicas/,
    code: 'redis/refuses-writes',
    isPermanent: false,
    message: (where, reply) => `${where} refuses writes: ${reply}`,
  },
];

/**
 * What a failed command means.
 *
 * @param where - The address, for the message.
 * @param isReachable - Whether Redis answered at all.
 */
export function redisProblemOf(error: unknown, where: string, isReachable = true): RedisProblem {
  const reply = errorText(error);
  const known = MEANINGS.find((meaning) => meaning.reply.test(reply));
  if (known !== undefined)
    return { code: known.code, isPermanent: known.isPermanent, message: known.message(where, reply) };
  return isReachable
    ? { code: 'redis/refuses-writes', isPermanent: false, message: `${where} stores no event: ${reply}` }
    : { code: 'redis/unreachable', isPermanent: false, message: `${where} is unreachable: ${reply}` };
}
