import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_ACCOUNT } from '../../config/accounts.js';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../once.js');

const resetOptions = z.object({
  account: z.string(),
  device: z.string().optional(),
  key: z.string().optional(),
  all: z.boolean().default(false),
});

/** `once list`, `once reset`. */
export function addOnceCommands(program: Command, { env, print }: CommandContext): void {
  const once = program
    .command('once')
    .description('list or reset what the rules with "once_per" have run for');

  once
    .command('list')
    .description('list the devices and keys that rules have run for')
    .argument('[rule]', 'the id of a rule')
    .option(...JSON_OPTION)
    .action(async (rule: string | undefined, options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listOnce }, shards) => listOnce(shards, rule, json)));
    });

  once
    .command('reset')
    .description('let a rule run once more')
    .argument('<rule>', 'the id of the rule')
    .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
    .option('--device <device>', 'the SimpleMDM id or the serial number of a device')
    .option('--key <key>', 'the key, as "once list" shows it')
    .option('--all', 'all devices and keys')
    .action(async (rule: string, options: unknown) => {
      const parsed = resetOptions.parse(options);
      const { device, key } = parsed;
      print(
        await onRedis(env, load, ({ resetOnce }, shards) =>
          resetOnce(shards, { ...parsed, rule, device, key }),
        ),
      );
    });
}
