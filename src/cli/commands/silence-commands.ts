import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../silences.js');

/** `silence add`, `silence list`, `silence remove`. */
export function addSilenceCommands(program: Command, { env, print }: CommandContext): void {
  const silence = program.command('silence').description('mute matching alerts for a while');

  silence
    .command('add')
    .description('mute the alerts that match every given label')
    .requiredOption('--match <label=pattern...>', 'such as rule=new-macs or "device_name=lab-*"')
    .option('--for <time>', 'duration, such as 30m, 4h or 7d', '4h')
    .option('--comment <text>', 'why', '')
    .action(async (options: unknown) => {
      const { match, for: time, comment } = addOptions.parse(options);
      print(
        await onRedis(env, load, ({ addSilence }, shards) => addSilence(shards, env, match, time, comment)),
      );
    });

  silence
    .command('list')
    .description('list the silences')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listSilences }, shards) => listSilences(shards, json)));
    });

  silence
    .command('remove')
    .description('remove a silence')
    .argument('<id>', 'the id of the silence')
    .action(async (id: string) =>
      print(await onRedis(env, load, ({ removeSilence }, shards) => removeSilence(shards, id))),
    );
}

const addOptions = z.object({ match: z.array(z.string()), for: z.string(), comment: z.string() });
