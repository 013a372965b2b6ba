import type { ErrorDefinitions } from '../error-definition.js';

/** Settings and accounts. */
export const SETTINGS_ERRORS = {
  'settings/invalid': {
    meaning: 'A setting has a value that the service cannot use.',
    cause: 'A typo in the value, or a value of another kind, such as text where a number belongs.',
    fix: 'Set the value that the message expects. The settings reference lists every setting.',
  },
  'settings/missing': {
    meaning: 'A required setting is not set.',
    cause: 'The variable is missing, empty or misspelled in the environment or in the .env file.',
    fix: 'Set it. The message says what it holds and who needs it.',
  },
  'settings/unknown': {
    meaning: 'The environment holds a variable that is nearly the name of a setting.',
    cause: 'The name of the setting is misspelled, so the setting keeps its default.',
    fix: 'Rename the variable. A misspelled READ_ONLY stops the start, because the service would change devices.',
  },
  'settings/env-file': {
    meaning: 'The .env file cannot be read, or one of its lines assigns nothing.',
    cause: 'A colon instead of an equals sign, a stray line, or missing permissions.',
    fix: 'Write NAME=value on each line, and put # before comments.',
  },
  'settings/accounts-file': {
    meaning: 'The file in ACCOUNTS_FILE cannot be read or does not have the documented form.',
    cause: 'A wrong path, invalid YAML, a misspelled key, or an environment variable that is not set.',
    fix: 'Correct the file at the place that the message names.',
  },
  'settings/rules-path': {
    meaning: 'RULES_PATH names neither a rule file nor a folder that can be read.',
    cause: 'A wrong path, a missing mount, or missing permissions.',
    fix: 'Set RULES_PATH to a rule file or to a folder of .yaml files.',
  },
  'settings/cannot-listen': {
    meaning: 'The service cannot listen on HOST and PORT.',
    cause: 'Another program uses the port, or the port or the address is not available to this user.',
    fix: 'Stop the other program, or choose another PORT or HOST.',
  },
  'settings/restart-needed': {
    meaning: 'Settings changed in .env while the service runs. It still uses the old values.',
    cause: 'The service reads settings when it starts. Only variables for rules and channels are read again.',
    fix: 'Restart the service.',
  },
} as const satisfies ErrorDefinitions;
