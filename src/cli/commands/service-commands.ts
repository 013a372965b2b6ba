import type { Command } from 'commander';
import type { Role } from '../../config/settings.js';
import type { CommandContext } from './command-context.js';

/** `serve`, `receiver`, `worker`. */
export function addServiceCommands(program: Command, { env, envFile }: CommandContext): void {
  const serve = async (roles: readonly Role[]): Promise<void> =>
    (await import('../serve.js')).serve(roles, env, envFile);

  program
    .command('serve')
    .description(
      'run the receiver and the workers in one process; starts a private Redis unless REDIS_URL is set',
    )
    .action(() => serve(['receiver', 'worker']));

  program
    .command('receiver')
    .description('run only the receiver, which accepts webhooks (needs REDIS_URL)')
    .action(() => serve(['receiver']));

  program
    .command('worker')
    .description('run only the workers, which fetch facts, evaluate rules and run steps (needs REDIS_URL)')
    .action(() => serve(['worker']));
}
