import type { ErrorDefinitions } from '../error-definition.js';

/** Schedules and sweeps. */
export const SCHEDULE_ERRORS = {
  'schedule/rule-missing': {
    meaning: 'A schedule was due for a rule or an account that no worker has. The tick was dropped.',
    cause:
      'The rule or the account was removed, or workers have different rule files for more than five minutes.',
    fix: 'Nothing if intended. Otherwise load the same rules in all workers and run `mdm-reflex schedules run RULE`.',
  },
  'schedule/tick-skipped': {
    meaning: 'A schedule was due while the previous sweep of the rule in the account was still running.',
    cause: 'The schedule is shorter than a sweep takes, or the account is unavailable.',
    fix: 'Choose a longer interval if this happens regularly.',
  },
  'schedule/sweep-failed': {
    meaning: 'A sweep could not evaluate all devices of an account.',
    cause: 'SimpleMDM refused or failed the call that the reason names.',
    fix: 'Fix the cause, then run `mdm-reflex schedules run RULE` or wait for the next tick.',
  },
  'schedule/sweep-incomplete': {
    meaning:
      'A sweep ended before the end of the device list, because the pages of the list did not come to an end. The devices that were read have been evaluated.',
    cause: 'A fault at SimpleMDM, or a proxy that drops the query of the call (starting_after).',
    fix: 'See api/incomplete-list. The next tick tries again; `mdm-reflex schedules` shows whether the last sweep was complete.',
  },
  'schedule/sync-failed': {
    meaning: 'The schedules of the rules could not be written to Redis.',
    cause: 'Redis refuses writes or is unreachable.',
    fix: 'Check Redis. The service retries until it succeeds.',
  },
} as const satisfies ErrorDefinitions;
