import type { Command } from 'commander';
import { DEFAULT_ACCOUNT } from '../../config/accounts.js';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { accountOption, flags, JSON_OPTION } from './options.js';

const load = () => import('../held.js');

/** `held list`, `held release`, `held drop`. */
export function addHeldCommands(program: Command, { env, print }: CommandContext): void {
  const held = program
    .command('held')
    .description('list, release or drop the runs of rules that are over their run limit');

  held
    .command('list')
    .description('list the held rules')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listHeld }, shards) => listHeld(shards, json)));
    });

  for (const [name, description, act] of [
    ['release', 'let the held runs of a rule continue', 'releaseHeld'],
    ['drop', 'drop the held runs of a rule', 'dropHeld'],
  ] as const) {
    held
      .command(name)
      .description(description)
      .argument('<rule>', 'the id of the rule')
      .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
      .action(async (rule: string, options: unknown) => {
        const { account } = accountOption.parse(options);
        print(await onRedis(env, load, (held, shards) => held[act](shards, account, rule)));
      });
  }
}
