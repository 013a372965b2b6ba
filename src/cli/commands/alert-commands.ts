import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../alerts.js');

/** `alerts list`, `alerts retry`, `alerts drop`. */
export function addAlertCommands(program: Command, { env, print }: CommandContext): void {
  const alerts = program
    .command('alerts')
    .description('list, retry or drop pending and undelivered messages');

  alerts
    .command('list')
    .description('list pending and undelivered messages')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listAlerts }, shards) => listAlerts(shards, json)));
    });

  alerts
    .command('retry')
    .description('send an undelivered message again')
    .argument('<id>', 'the id of the message, or "all"')
    .action(async (id: string) =>
      print(await onRedis(env, load, ({ retryAlerts }, shards) => retryAlerts(shards, id))),
    );

  alerts
    .command('drop')
    .description('drop an undelivered message')
    .argument('<id>', 'the id of the message')
    .action(async (id: string) =>
      print(await onRedis(env, load, ({ dropAlerts }, shards) => dropAlerts(shards, id))),
    );
}
