import type { Command } from 'commander';
import { readSettings } from '../../config/settings.js';
import { listChannels, testChannel } from '../channels.js';
import type { CommandContext } from './command-context.js';
import { RULES_OPTION, rulesOption } from './options.js';

/** `channels list`, `channels test`. */
export function addChannelCommands(program: Command, { env, print }: CommandContext): void {
  const channels = program.command('channels').description('list or test the channels that receive alerts');

  channels
    .command('list')
    .description('list the channels of the rule files')
    .option(...RULES_OPTION)
    .action(async (options: unknown) => {
      print(await listChannels(env, rulesOption.parse(options).rules));
    });

  channels
    .command('test')
    .description('send a test message to a channel and print the response')
    .argument('<name>', 'the name of the channel')
    .option(...RULES_OPTION)
    .action(async (name: string, options: unknown) => {
      const { PUBLIC_URL: consoleUrl } = readSettings(env, []);
      print(await testChannel(env, rulesOption.parse(options).rules, name, consoleUrl));
    });
}
