import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../config/operator-error.js';
import { checkRedis, storageProblem } from '../queues/check-redis.js';
import type { RedisCheck } from '../queues/check-redis.js';
import { connectedWithin } from '../queues/open-connection.js';
import type { RedisProblem } from '../queues/redis-problem.js';
import type { Logger } from '../telemetry/logger.js';

/** How often a Redis that cannot be used yet is tried, and one that could not store a webhook. */
const RETRY_MS = 1000;
/** How often it is proven that a webhook could be stored. */
const PROBE_MS = 5000;

/** Whether webhooks can be stored, as of the last probe. */
export interface RedisHealth {
  /** Why a webhook could not be stored; undefined when it could. */
  readonly problem: () => RedisProblem | undefined;
  /** Probes at once: Redis refused a webhook. */
  readonly suspect: () => void;
  readonly stop: () => void;
}

/** What watching needs. */
export interface RedisHealthOptions {
  readonly check: RedisCheck;
  readonly logger: Logger;
  /** Called with each result of the wait, for `/readyz`. */
  readonly onProblem?: (problem: RedisProblem | undefined) => void;
  readonly isStopping: () => boolean;
}

/**
 * Waits until Redis passes every check of a start. Each problem is logged once.
 *
 * @returns Whether Redis passed; false when the service stops meanwhile.
 * @throws OperatorError for a problem that does not pass by itself: a refused login, a missing right, the wrong kind of Redis, an old version.
 */
export async function waitForRedis({
  check,
  logger,
  onProblem,
  isStopping,
}: RedisHealthOptions): Promise<boolean> {
  let logged: string | undefined;
  let settling = 0;
  // A connection that was just opened needs a moment.
  await connectedWithin(check.redis, CONNECT_MS);
  while (!isStopping()) {
    const { problem, warnings } = await checkRedis(check);
    onProblem?.(problem);
    if (problem === undefined) {
      for (const { code, message } of warnings) logger.warn({ code }, message);
      if (logged !== undefined) logger.info('Redis stores events');
      return true;
    }
    if (problem.isPermanent) throw new OperatorError([problem]);
    // A server that answers is no news, unless the connection does not follow.
    settling = problem.isSettling === true ? settling + 1 : 0;
    if (logged !== problem.code && (settling === 0 || settling > SETTLING_TRIES)) {
      logger.error({ code: problem.code }, `waiting for Redis: ${problem.message}`);
      logged = problem.code;
    }
    await delay(settling === 0 || settling > SETTLING_TRIES ? RETRY_MS : SETTLING_MS);
  }
  return false;
}

const SETTLING_MS = 50;
const SETTLING_TRIES = 100;
/** A connection to a Redis that is there takes less. */
const CONNECT_MS = 500;

/** Proves again and again that a webhook could be stored. */
export function watchRedis({ check, logger }: Pick<RedisHealthOptions, 'check' | 'logger'>): RedisHealth {
  let problem: RedisProblem | undefined;
  let probing = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let lastProbe = 0;
  const plan = (ms: number): void => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void probe(), ms);
    timer.unref();
  };
  const probe = async (): Promise<void> => {
    if (probing) return;
    probing = true;
    lastProbe = Date.now();
    const found = await storageProblem(check);
    probing = false;
    if (!stopped && found?.code !== problem?.code) {
      if (found === undefined) logger.info('Redis stores events again');
      else logger.error({ code: found.code }, `webhooks get 503: ${found.message}`);
    }
    problem = found;
    plan(found === undefined ? PROBE_MS : RETRY_MS);
  };
  plan(PROBE_MS);
  return {
    problem: () => problem,
    suspect: () => {
      if (!probing) plan(Math.max(0, lastProbe + RETRY_MS - Date.now()));
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
