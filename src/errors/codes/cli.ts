import type { ErrorDefinitions } from '../error-definition.js';

/** The command line. */
export const CLI_ERRORS = {
  'cli/unknown-command': {
    meaning: 'The command does not exist.',
    cause: 'A typo, or a command of another version.',
    fix: 'List the commands with "mdm-reflex --help".',
  },
  'cli/unknown-option': {
    meaning: 'The command has no such option.',
    cause: 'A typo, or an option of another command.',
    fix: 'List the options of the command with --help.',
  },
  'cli/missing-argument': {
    meaning: 'A required argument or option, or the value of an option, is missing.',
    cause: 'The command line is incomplete.',
    fix: 'Add what the message names; --help shows the usage.',
  },
  'cli/unexpected-argument': {
    meaning: 'The command received more arguments than it takes.',
    cause: 'An argument with spaces lacks quotes, or a shell expanded a "*".',
    fix: 'Quote the argument; --help shows the usage.',
  },
  'cli/invalid-option': {
    meaning: 'The value of an option is not valid.',
    cause: 'The value has the wrong form, or names a file that has.',
    fix: 'Use a value of the form that the message names.',
  },
  'cli/confirmation-needed': {
    meaning:
      'The command asks before it starts, and nobody can answer: its input or output is not a terminal.',
    cause: 'The command runs in a script or a pipe.',
    fix: 'Add --yes to start without the question.',
  },
  'cli/unknown-event': {
    meaning: 'The journal has no event with this id.',
    cause: 'A typo, or the event is older than the retention time.',
    fix: 'List the events and their ids with "mdm-reflex events".',
  },
  'cli/ambiguous-id': {
    meaning: 'Several events have an id that starts with these characters.',
    cause: 'The shortened id is too short.',
    fix: 'Give more characters of the id.',
  },
  'cli/unknown-device': {
    meaning: 'SimpleMDM has no device with this serial number.',
    cause: 'A typo, or the device belongs to another account.',
    fix: 'Check the serial number, or give the SimpleMDM id of the device.',
  },
  'cli/not-held': {
    meaning: 'The rule is not held in this account.',
    cause: 'A typo, another account, or somebody has released or dropped the runs already.',
    fix: 'List the held rules with "mdm-reflex held list"; choose the account with --account.',
  },
  'cli/not-raised': {
    meaning: 'The rule has not raised this device in this account.',
    cause: 'A typo, another account, or the condition is false again.',
    fix: 'List the raised devices with "mdm-reflex raised list"; choose the account with --account.',
  },
  'cli/not-claimed': {
    meaning: 'The rule with `once_per` has not run for this device or key in this account.',
    cause: 'A typo, another account, or a reset before.',
    fix: 'List the runs with "mdm-reflex once list"; choose the account with --account.',
  },
  'cli/no-approval': {
    meaning: 'No run waits for an approval with this id.',
    cause: 'A typo, or somebody has decided, the time is over, or the rule was disabled.',
    fix: 'List what waits with "mdm-reflex approvals list".',
  },
  'cli/no-schedule': {
    meaning: 'No worker has set up a schedule for this rule.',
    cause: 'A typo, the rule has no "on: { schedule: … }", or it is disabled.',
    fix: 'List the schedules with "mdm-reflex schedules".',
  },
  'cli/no-service': {
    meaning: 'The command needs the Redis of a running service, and no service runs with this DATA_DIR.',
    cause: 'The service is stopped, runs on another machine, or uses another DATA_DIR.',
    fix: 'Start the service, run the command where the service runs, or set REDIS_URL to its Redis.',
  },
  'cli/unknown-account': {
    meaning: 'No account of this name has an API key.',
    cause: 'A typo in --account, or ACCOUNTS_FILE does not name the account.',
    fix: 'Name an account of ACCOUNTS_FILE with --account.',
  },
} as const satisfies ErrorDefinitions;
