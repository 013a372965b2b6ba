import { Command } from 'commander';
import { addAlertCommands } from './commands/alert-commands.js';
import { addApprovalCommands } from './commands/approval-commands.js';
import { addChannelCommands } from './commands/channel-commands.js';
import type { CommandContext } from './commands/command-context.js';
import { addEventCommands } from './commands/event-commands.js';
import { addHeldCommands } from './commands/held-commands.js';
import { addOnceCommands } from './commands/once-commands.js';
import { addQueueCommands } from './commands/queue-commands.js';
import { addRaisedCommands } from './commands/raised-commands.js';
import { addRuleCommands } from './commands/rule-commands.js';
import { addScheduleCommands } from './commands/schedule-commands.js';
import { addServiceCommands } from './commands/service-commands.js';
import { addSilenceCommands } from './commands/silence-commands.js';

/** Creates the `mdm-reflex` command. Its `parseAsync` rejects with a `CommanderError` where commander would exit the process. */
export function createProgram(version: string, context: CommandContext): Command {
  const program = new Command('mdm-reflex')
    .description('Acts on SimpleMDM webhooks by rules. Reads settings from the environment and from .env.')
    .version(version)
    // main.ts prints errors, with their codes. Commands inherit both settings, so they come first.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  addServiceCommands(program, context);
  addRuleCommands(program, context);
  addEventCommands(program, context);
  addQueueCommands(program, context);
  addScheduleCommands(program, context);
  addHeldCommands(program, context);
  addApprovalCommands(program, context);
  addRaisedCommands(program, context);
  addOnceCommands(program, context);
  addChannelCommands(program, context);
  addAlertCommands(program, context);
  addSilenceCommands(program, context);
  return program;
}
