import type { Role } from '../config/settings.js';
import { startService } from '../main.js';
import type { Service } from '../main.js';

const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/** Safety net behind the orderly stop, whose own steps are bounded: a process that hangs must not outlive its 25 seconds. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Runs a process of the service until SIGTERM or SIGINT, which stop it in order; a second signal ends it at once.
 *
 * @throws OperatorError when it cannot start.
 */
export async function serve(roles: readonly Role[], env: NodeJS.ProcessEnv): Promise<void> {
  const running: { service?: Service } = {};
  let signalled = false;
  const onSignal = (signal: keyof typeof EXIT_CODES): void => {
    if (signalled) process.exit(EXIT_CODES[signal]);
    signalled = true;
    // Before the start is over there is nothing worth an orderly stop; a private Redis that is left over is stopped by the next start.
    if (running.service === undefined) process.exit(EXIT_CODES[signal]);
    setTimeout(() => {
      process.stderr.write('mdm-reflex: the orderly stop took too long; ending at once\n');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    running.service.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', () => {
    // A terminal that is closed ends what runs in it; anybody else asks for the rules to be read again.
    if (process.stdout.isTTY || running.service === undefined) onSignal('SIGHUP');
    else void running.service.reloadRules();
  });
  running.service = await startService({ env, roles });
}
