import type { ErrorDefinitions } from '../error-definition.js';

/** Events and their processing. */
export const EVENT_ERRORS = {
  'event/account-unknown': {
    meaning: 'The event or run belongs to an account that is not configured.',
    cause: 'The account was renamed or removed from ACCOUNTS_FILE after the webhook arrived.',
    fix: 'Restore the account, restart the service, and replay the event.',
  },
  'event/facts-unavailable': {
    meaning: 'A rule could not be evaluated because a fact could not be looked up.',
    cause:
      'SimpleMDM is unreachable, asks for fewer calls, or refuses the API key. The reason names the call.',
    fix: 'Nothing while the event waits: the lookup is retried. Replay the event if its attempts are used up.',
  },
  'event/inventory-pending': {
    meaning:
      'A rule or a step waits because the device enrolled recently and has not reported something that the rule names.',
    cause: 'SimpleMDM sends `device.enrolled` before the device reports its model, its system and its apps.',
    fix: 'Nothing: the service looks again until the value is there or `settle` is over. `settle: 0` decides at once.',
  },
  'event/rule-undecided': {
    meaning: 'The condition of a rule, or its concurrency key, could not be evaluated. Other rules ran.',
    cause: 'The expression fails for this event, or the API key lacks a permission that a fact needs.',
    fix: 'Correct the rule or the permission that the reason names, and replay the event.',
  },
  'event/chain-cut': {
    meaning: 'Rules caused each other in a loop. No rule ran for the event.',
    cause: 'A rule reacts to a change that another rule, or the same rule, makes.',
    fix: 'Add a condition that ends the loop, or remove `on_own_actions: true`.',
  },
  'event/invalid-job': {
    meaning: 'The data of a job in Redis is not valid, so the job cannot run.',
    cause: 'Another version of the service, or another program, wrote the job.',
    fix: 'Run the same version in all processes, and replay the event.',
  },
  'event/unexpected-error': {
    meaning: 'A job threw an error that the service does not handle. The job is retried.',
    cause: 'A defect of the service, or Redis became unavailable during the job.',
    fix: 'Report the error with the stack trace from the log. Replay the event after the fix.',
  },
  'event/worker-lost': {
    meaning: 'A worker died or was cut off from Redis during a job. Another worker continues the job.',
    cause: 'The process was killed, ran out of memory, or Redis was unreachable for 30 seconds.',
    fix: 'Nothing if this happens once. Otherwise check the memory of the process and the connection to Redis.',
  },
} as const satisfies ErrorDefinitions;
