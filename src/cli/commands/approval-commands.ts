import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION } from './options.js';

const load = () => import('../approvals.js');

const answerOptions = z.object({ name: z.string().optional() });

/** `approvals list`, `approvals approve`, `approvals reject`. */
export function addApprovalCommands(program: Command, { env, print }: CommandContext): void {
  const approvals = program
    .command('approvals')
    .description('list, approve or reject the steps that wait for an approval');

  approvals
    .command('list')
    .description('list what waits for an approval')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { json } = flags.parse(options);
      print(await onRedis(env, load, ({ listApprovals }, shards) => listApprovals(shards, json)));
    });

  for (const [name, description, answer] of [
    ['approve', 'let the steps run', 'approved'],
    ['reject', 'skip the steps', 'rejected'],
  ] as const) {
    approvals
      .command(name)
      .description(description)
      .argument('<id>', 'the id of the approval')
      .option('--name <name>', 'who decides, for the trace (the user of the system)')
      .action(async (id: string, options: unknown) => {
        const { name: by } = answerOptions.parse(options);
        print(
          await onRedis(env, load, ({ answerApproval }, shards, settings) =>
            answerApproval(shards, settings, id, answer, by),
          ),
        );
      });
  }
}
