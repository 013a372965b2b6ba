import type { Command } from 'commander';
import { listSchedules, runSchedule } from '../schedules.js';
import { withRedis } from '../with-redis.js';
import type { CommandContext } from './command-context.js';
import { flags, JSON_OPTION } from './options.js';

/** `schedules`, `schedules run`. */
export function addScheduleCommands(program: Command, { env, print }: CommandContext): void {
  const schedules = program
    .command('schedules')
    .description('list the rules that have a schedule, with their next tick and last sweep')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await withRedis(env, (redis, settings) => listSchedules(redis, settings, json)));
    });

  schedules
    .command('run')
    .description('add a tick for a rule now; its schedule stays as it is')
    .argument('<rule>', 'the id of the rule')
    .action(async (rule: string) =>
      print(await withRedis(env, (redis, settings) => runSchedule(redis, settings, rule))),
    );
}
