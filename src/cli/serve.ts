import type { EnvFile } from '../config/env-file.js';
import type { Role } from '../config/settings.js';
import { startService } from '../main.js';
import type { Service } from '../main.js';

const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

/** Safety net: each phase of a graceful shutdown has a timeout of its own, and a process that hangs must still end. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Runs a process of the service until SIGTERM or SIGINT, which shut it down gracefully; a second signal ends it immediately.
 *
 * @throws OperatorError when it cannot start.
 */
export async function serve(
  roles: readonly Role[],
  env: NodeJS.ProcessEnv,
  envFile?: EnvFile,
): Promise<void> {
  const running: { service?: Service } = {};
  let signalled = false;
  const onSignal = (signal: keyof typeof EXIT_CODES): void => {
    if (signalled) process.exit(EXIT_CODES[signal]);
    signalled = true;
    // A start that is not complete holds no work. The next start stops a private Redis that this one leaves running.
    if (running.service === undefined) process.exit(EXIT_CODES[signal]);
    setTimeout(() => {
      process.stderr.write('mdm-reflex: graceful shutdown timed out; exiting now\n');
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
    // A closing terminal means stop. From anywhere else, SIGHUP means reload .env and the rules.
    if (process.stdout.isTTY || running.service === undefined) onSignal('SIGHUP');
    else void running.service.reloadRules();
  });
  const service = await startService({ env, roles, ...(envFile && { envFile }) });
  running.service = service;
  try {
    await service.running;
  } catch (error) {
    await service.stop();
    throw error;
  }
}
