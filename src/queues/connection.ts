import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import { openConnection } from './open-connection.js';
import type { RedisAddress, RedisClient } from './open-connection.js';

/** The prefix of every Redis key, including those of the queues. */
export const KEY_PREFIX = 'mdm-reflex';

/**
 * Connects for callers that wait for a response: the receiver, the JSON API, the command line. While Redis is
 * unreachable, commands fail immediately instead of queuing up in memory.
 *
 * @throws OperatorError when the file of the option `ca` cannot be read.
 */
export function connectForRequests(address: RedisAddress, logger: Logger): RedisClient {
  return openConnection(address, `${KEY_PREFIX}-requests`, 'fail', logger);
}

/**
 * Connects for workers: commands wait until Redis is reachable, as BullMQ requires.
 *
 * @throws OperatorError when the file of the option `ca` cannot be read.
 */
export function connectForWorkers(address: RedisAddress, logger: Logger): RedisClient {
  return openConnection(address, `${KEY_PREFIX}-workers`, 'wait', logger);
}

/** Why a command would wait for the connection: for callers whose sender needs a response immediately. Undefined when it would not. */
export function problemWithConnection({ status }: { readonly status: string }): Error | undefined {
  return status === 'ready' ? undefined : new Error(`Redis is unreachable (connection ${status})`);
}

const UNREACHABLE =
  /Command timed out|Connection is closed|Stream isn't writeable|max retries per request|ECONN|EPIPE|ETIMEDOUT|Cluster isn't ready|None of startup nodes|Failed to refresh slots|Too many Cluster redirections|CLUSTERDOWN|All sentinels are unreachable/i;

/** Whether an error means that Redis is unreachable or did not respond in time. */
export function isRedisUnreachable(error: unknown): boolean {
  return UNREACHABLE.test(errorText(error));
}

/** The results of a pipeline. Throws the first error among them. */
export function pipelineResults(results: [Error | null, unknown][] | null): unknown[] {
  return (results ?? []).map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}
