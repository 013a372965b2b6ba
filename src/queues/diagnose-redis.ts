import { Redis } from 'ioredis';
import { hostAndPort } from '../config/redis-url.js';
import type {
  RedisCluster,
  RedisNode,
  RedisTarget,
  SentinelRedis,
  SingleRedis,
} from '../config/redis-url.js';
import { errorText } from '../telemetry/error-text.js';
import { loginOf } from './open-connection.js';
import { redisProblemOf } from './redis-problem.js';
import type { RedisProblem } from './redis-problem.js';

const TIMEOUT_MS = 2000;

/** What a server answered, or why it did not. */
type Answer = { readonly node: RedisNode } & ({ readonly reply: unknown } | { readonly error: Error });

/**
 * Finds out why a connection does not become ready, by asking each server of a REDIS_URL directly: the connections of ioredis only say that
 * none could be used.
 */
export async function diagnoseRedis(target: RedisTarget): Promise<RedisProblem> {
  switch (target.kind) {
    case 'single': {
      const answer = await ask(target, loginOf(target), pingOf(target));
      return 'error' in answer ? problemOf(answer) : connecting(hostAndPort(target));
    }
    case 'cluster':
      return diagnoseCluster(target);
    case 'sentinel':
      return diagnoseSentinels(target);
  }
}

/** Shows that a server answers, and that it has the database. */
function pingOf({ database }: SingleRedis | SentinelRedis): readonly [string, ...string[]] {
  return database === 0 ? ['PING'] : ['SELECT', String(database)];
}

/** The server answered after all: the connection follows in a moment. */
function connecting(where: string): RedisProblem {
  return {
    code: 'redis/unreachable',
    isPermanent: false,
    isSettling: true,
    message: `${where} answers; the connection is not ready yet`,
  };
}

async function diagnoseCluster(target: RedisCluster): Promise<RedisProblem> {
  const login = loginOf(target);
  const answers = await Promise.all(target.nodes.map((node) => ask(node, login, ['CLUSTER', 'INFO'])));
  const failed = answers.filter((answer) => 'error' in answer).map(problemOf);
  const permanent = failed.find(({ isPermanent }) => isPermanent);
  if (permanent !== undefined) return permanent;
  if (failed.length === answers.length) return noneOf('no node of the cluster is reachable', failed);
  const isDown = answers.some(
    (answer) => 'reply' in answer && String(answer.reply).includes('cluster_state:fail'),
  );
  const lost = failed.map(({ message }) => message);
  return {
    code: 'redis/cluster-down',
    isPermanent: false,
    message: [
      isDown
        ? 'the Redis Cluster does not serve all slots (cluster_state:fail)'
        : 'a node of the Redis Cluster that has slots is unreachable',
      ...lost,
    ].join('; '),
  };
}

async function diagnoseSentinels(target: SentinelRedis): Promise<RedisProblem> {
  const { master, sentinelUsername: username, sentinelPassword: password } = target;
  const { tls } = loginOf(target);
  const login = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
  const answers = await Promise.all(
    target.sentinels.map((node) => ask(node, login, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])),
  );
  const failed = answers.filter((answer) => 'error' in answer).map(problemOf);
  for (const answer of answers) {
    if ('error' in answer) continue;
    const [host, port] = texts(answer.reply);
    if (host !== undefined) {
      const node = { host, port: Number(port) };
      const found = await ask(node, loginOf(target), pingOf(target));
      if (!('error' in found)) return connecting(hostAndPort(node));
      const problem = problemOf(found);
      return { ...problem, message: `the Sentinels name this master of "${master}": ${problem.message}` };
    }
    const known = await ask(answer.node, login, ['SENTINEL', 'MASTERS']);
    const names =
      'reply' in known && Array.isArray(known.reply) ? known.reply.map((each) => texts(each)[1]) : [];
    return {
      code: 'redis/unknown-master',
      isPermanent: false,
      message: `the Sentinel ${hostAndPort(answer.node)} knows no master "${master}"; it knows ${names.length === 0 ? 'none' : names.join(', ')}: correct the name at the end of REDIS_URL`,
    };
  }
  const wrong = failed.find(({ isPermanent }) => isPermanent);
  if (wrong !== undefined)
    return { ...wrong, message: `${wrong.message} (for Sentinels: the option sentinelPassword)` };
  return noneOf('no Sentinel is reachable', failed);
}

function noneOf(summary: string, failed: readonly RedisProblem[]): RedisProblem {
  const [first, ...more] = failed;
  const code =
    first !== undefined && more.every((each) => each.code === first.code) ? first.code : 'redis/unreachable';
  return {
    code,
    isPermanent: false,
    message: `${summary}: ${failed.map(({ message }) => message).join('; ')}`,
  };
}

function texts(reply: unknown): (string | undefined)[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function problemOf(answer: Answer): RedisProblem {
  const where = hostAndPort(answer.node);
  if (!('error' in answer)) return connecting(where);
  const problem = redisProblemOf(answer.error, where, false);
  return isCertificateError(answer.error)
    ? {
        ...problem,
        message: `${problem.message}; name the file of its certificate authority with ?ca=<file> in REDIS_URL, and use a host name that the certificate has`,
      }
    : problem;
}

function isCertificateError(error: Error): boolean {
  return /certificate|altname|self.signed/i.test(errorText(error));
}

/** Sends one command over a connection of its own, with no second attempt. */
async function ask(
  node: RedisNode,
  login: ReturnType<typeof loginOf>,
  [command, ...args]: readonly [string, ...string[]],
): Promise<Answer> {
  const redis = new Redis({
    ...login,
    host: node.host,
    port: node.port,
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    // ioredis keeps this timer, and with it the process, alive after a refused connection.
    disconnectTimeout: 50,
  });
  // The event names the cause; the promise of connect() only that the connection is closed.
  let cause: Error | undefined;
  redis.on('error', (error: Error) => (cause = error));
  try {
    await redis.connect();
    return { node, reply: await redis.call(command, ...args) };
  } catch (error) {
    const caught = error instanceof Error ? error : new Error(errorText(error));
    return { node, error: caught.name === 'ReplyError' ? caught : (cause ?? caught) };
  } finally {
    redis.disconnect();
  }
}
