import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../queue.js');

/** `queue`. */
export function addQueueCommands(program: Command, { env, print }: CommandContext): void {
  program
    .command('queue')
    .description('show what waits, by lane, account, rule and reason, and when it is done')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ showQueue }, shards, settings) => showQueue(shards, settings, json)));
    });
}
