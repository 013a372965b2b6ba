import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_ACCOUNT } from '../../config/accounts.js';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../raised.js');

const resetOptions = z.object({
  account: z.string(),
  device: z.string().optional(),
  all: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

/** `raised list`, `raised reset`. */
export function addRaisedCommands(program: Command, { env, print }: CommandContext): void {
  const raised = program
    .command('raised')
    .description('list or reset the devices for which the condition of a rule with "when" is true');

  raised
    .command('list')
    .description('list the raised devices')
    .argument('[rule]', 'the id of a rule')
    .option(...JSON_OPTION)
    .action(async (rule: string | undefined, options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listRaised }, shards) => listRaised(shards, rule, json)));
    });

  raised
    .command('reset')
    .description('forget that devices are raised; the rule acts again if its condition is still true')
    .argument('<rule>', 'the id of the rule')
    .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
    .option('--device <device>', 'the SimpleMDM id or the serial number of a device')
    .option('--all', 'all devices')
    .option('--dry-run', 'the devices that dry runs raised')
    .action(async (rule: string, options: unknown) => {
      const parsed = resetOptions.parse(options);
      const { device } = parsed;
      print(
        await onRedis(env, load, ({ resetRaised }, shards) =>
          resetRaised(shards, { ...parsed, rule, device }),
        ),
      );
    });
}
