import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../schedules.js');

/** `schedules`, `schedules run`. */
export function addScheduleCommands(program: Command, { env, print }: CommandContext): void {
  const schedules = program
    .command('schedules')
    .description('list the rules that have a schedule, with their next tick and last sweep')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(
        await onRedis(env, load, ({ listSchedules }, shards, settings) =>
          listSchedules(shards, settings, json),
        ),
      );
    });

  schedules
    .command('run')
    .description('add a tick for a rule now; its schedule stays as it is')
    .argument('<rule>', 'the id of the rule')
    .action(async (rule: string) =>
      print(
        await onRedis(env, load, ({ runSchedule }, shards, settings) => runSchedule(shards, settings, rule)),
      ),
    );
}
