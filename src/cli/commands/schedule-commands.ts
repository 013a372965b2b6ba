import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION, RULES_OPTION } from './options.js';

const load = () => import('../schedules.js');

const runOptions = z.object({
  yes: z.boolean().default(false),
  count: z.boolean().default(true),
  rules: z.string().optional(),
});

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
    .description(
      'show how many devices match, ask, and add a tick for a rule now; its schedule stays as it is',
    )
    .argument('<rule>', 'the id of the rule')
    .option('--yes', 'start without the question')
    .option('--no-count', 'start without counting the devices that match')
    .option(...RULES_OPTION)
    .action(async (rule: string, options: unknown) => {
      const parsed = runOptions.parse(options);
      const [{ withDialog }, { runSchedule }] = await Promise.all([
        import('../dialog.js'),
        import('../run-schedule.js'),
      ]);
      await withDialog(print, async (dialog) =>
        print(
          await onRedis(env, load, (_schedules, shards, settings) =>
            runSchedule(rule, parsed, { shards, settings, env, dialog }),
          ),
        ),
      );
    });
}
