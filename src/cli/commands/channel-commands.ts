import type { Command } from 'commander';
import { readSettings } from '../../config/settings.js';
import type { CommandContext } from './command-context.js';
import { RULES_OPTION, rulesOption } from './options.js';

const load = () => import('../channels.js');

/** `channels list`, `channels test`. */
export function addChannelCommands(program: Command, { env, print }: CommandContext): void {
  const channels = program.command('channels').description('list or test the channels that receive alerts');

  channels
    .command('list')
    .description('list the channels of the rule files')
    .option(...RULES_OPTION)
    .action(async (options: unknown) => {
      const { listChannels } = await load();
      print(await listChannels(env, rulesOption.parse(options).rules));
    });

  channels
    .command('test')
    .description('send a test message to a channel and print the response')
    .argument('<name>', 'the name of the channel')
    .option(...RULES_OPTION)
    .action(async (name: string, options: unknown) => {
      const { PUBLIC_URL: consoleUrl } = readSettings(env, []);
      const { testChannel } = await load();
      print(await testChannel(env, rulesOption.parse(options).rules, name, consoleUrl));
    });
}
