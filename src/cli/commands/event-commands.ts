import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext } from './command-context.js';
import { onRedis } from './on-redis.js';
import { flags, JSON_OPTION, parseOptions } from './options.js';

const load = () => import('../events.js');

const none = z.undefined('one event is named by its id; leave this option out').optional();
const replayOneOptions = z.object({
  everything: z.boolean().default(false),
  json: z.boolean().default(false),
  yes: z.boolean().optional(),
  ...Object.fromEntries(
    ['type', 'device', 'rule', 'account', 'status', 'reason', 'since', 'until', 'limit', 'cursor'].map(
      (name) => [name, none],
    ),
  ),
});

const HELP_OF_REPLAY = `
Several events, instead of an id: --status failed, and the other options of "mdm-reflex events" that choose
events (--type, --device, --rule, --account, --reason, --since, --until). --limit <count> takes the newest
ones, --json prints JSON. They wait in the bulk lane.

  mdm-reflex events replay --status failed --rule onboard --since 1d`;

/** `events`, `events show`, `events replay`. */
export function addEventCommands(program: Command, { env, paint, print }: CommandContext): void {
  const events = program
    .command('events')
    .description('list the newest events')
    .option('--type <type>', 'only this event type; a pattern such as "device.*" works')
    .option('--device <device>', 'only this device: SimpleMDM id, serial number, UDID, or a part of its name')
    .option('--rule <rule>', 'only events with a run of this rule')
    .option('--account <account>', 'only this account')
    .option('--status <status>', 'only: queued, processing, waiting, completed, failed, no_match')
    .option('--reason <text>', 'only events with this error code, or with this text in a reason')
    .option('--since <time>', 'only events received since, such as 2d, 1h or 2026-01-31T08:00:00Z')
    .option('--until <time>', 'only events received until, such as 2d, 1h or 2026-01-31T08:00:00Z')
    .option('--limit <count>', 'number of events, 1 to 100 (20)')
    .option('--cursor <cursor>', 'the next page: the cursor at the end of the previous list')
    .option(...JSON_OPTION)
    .action(async (options: unknown) =>
      print(await onRedis(env, load, ({ listEvents }, shards) => listEvents(shards, options, paint))),
    );

  events
    .command('show')
    .description('show the trace of an event: facts, verdicts and reasons, runs, alerts')
    .argument('<id>', 'the id of the event, or its first characters (at least six)')
    .action(async (id: string, _options: unknown, command: Command) => {
      // --json stands on the parent command.
      const { json } = flags.parse(command.optsWithGlobals());
      print(await onRedis(env, load, ({ showEvent }, shards) => showEvent(shards, id, json, paint)));
    });

  events
    .command('replay')
    .description(
      'resume what failed, at the step that failed: for one event, or for all that the options choose',
    )
    .argument('[id]', 'the id of the event, or its first characters (at least six)')
    .option('--everything', 'replay as a new event, including steps that succeeded')
    .option('--yes', 'several events: start without the question')
    .addHelpText('after', HELP_OF_REPLAY)
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      // The options of a list stand on the parent command.
      const options: unknown = command.optsWithGlobals();
      if (id === undefined) return replayMany(options);
      const { everything, json } = parseOptions(replayOneOptions, options);
      print(
        await onRedis(env, load, ({ replayEvent }, shards, settings) =>
          replayEvent(shards, settings, id, { everything, json }),
        ),
      );
    });

  async function replayMany(options: unknown): Promise<void> {
    const { withDialog } = await import('../dialog.js');
    await withDialog(print, async (dialog) =>
      print(
        await onRedis(
          env,
          () => import('../replay-events.js'),
          ({ replayEvents }, shards, settings) => replayEvents(options, { shards, settings, dialog }),
        ),
      ),
    );
  }
}
