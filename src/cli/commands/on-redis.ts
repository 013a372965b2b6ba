import type { Shards } from '../../queues/shards.js';
import type { Settings } from '../../config/settings.js';

/**
 * Runs a command on the Redis of the service. Loads the code of the command and of Redis only now: the command line starts fast.
 *
 * @param load - Imports the module of the command.
 * @throws OperatorError when no service runs here, or Redis is unreachable.
 */
export async function onRedis<M>(
  env: NodeJS.ProcessEnv,
  load: () => Promise<M>,
  run: (command: M, shards: Shards, settings: Settings) => Promise<string>,
): Promise<string> {
  const [{ withRedis }, command] = await Promise.all([import('../with-redis.js'), load()]);
  return withRedis(env, (shards, settings) => run(command, shards, settings));
}
