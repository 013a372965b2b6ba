import { readFileSync } from 'node:fs';
import { envReferencesIn } from '../config/env-reference.js';
import { OperatorError } from '../config/operator-error.js';
import { isSecretSetting, isSetting } from '../config/settings.js';
import { secretsOfVariables } from '../rules/model/rule-secrets.js';
import { errorText } from '../telemetry/error-text.js';
import type { ServiceContext } from './phases/settings.js';

/** Reads `.env` again, so that `${env:NAME}` in rules and channels sees new values without a restart. */
export interface EnvReload {
  /** The text of the file; undefined when there is none, or when it cannot be read now. */
  readonly read: () => string | undefined;
  /** Puts a text in effect. Logs what changed, and never throws: an invalid text changes nothing. */
  readonly apply: (text: string | undefined) => void;
}

/** Creates the reload of the `.env` file of a process; undefined when the process has none. */
export function createEnvReload(context: ServiceContext): EnvReload | undefined {
  const { envFile, settings, redaction, logger } = context;
  if (envFile === undefined) return undefined;
  let lastProblem: string | undefined;
  const report = (error: unknown): void => {
    if (!(error instanceof OperatorError)) throw error;
    const problems = error.problems.map(({ message }) => message);
    // Report an unchanged problem once.
    if (problems.join('\n') === lastProblem) return;
    lastProblem = problems.join('\n');
    logger.error(
      { code: 'settings/env-file', problems },
      '.env cannot be used: its last valid variables stay in effect',
    );
  };
  return {
    read: () => {
      try {
        return envFile.read();
      } catch (error) {
        report(error);
        return undefined;
      }
    },
    apply: (text) => {
      let changed: string[];
      try {
        changed = envFile.apply(text, (variables) => {
          const names = Object.keys(variables).filter((name) => !isSetting(name) || isSecretSetting(name));
          redaction.add(secretsOfVariables(names, { ...variables }));
        });
      } catch (error) {
        report(error);
        return;
      }
      lastProblem = undefined;
      const needRestart = changed.filter(
        (name) => isSetting(name) || namesInAccounts(settings.ACCOUNTS_FILE).includes(name),
      );
      const inUse = changed.filter((name) => !isSetting(name));
      if (inUse.length > 0)
        logger.info({ names: inUse }, '.env was read again: changed variables are in use');
      if (needRestart.length > 0)
        logger.warn(
          { code: 'settings/restart-needed', names: needRestart },
          'settings changed in .env: restart the service to use them',
        );
    },
  };

  /** The variables that the accounts file refers to. Accounts are opened when the process starts. */
  function namesInAccounts(path: string | undefined): string[] {
    if (path === undefined) return [];
    try {
      return envReferencesIn(readFileSync(path, 'utf8'));
    } catch (error) {
      logger.warn(
        { code: 'settings/accounts-file', path, reason: errorText(error) },
        'ACCOUNTS_FILE cannot be read now; the accounts of the start stay in use',
      );
      return [];
    }
  }
}
