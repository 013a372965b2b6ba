import type { ErrorDefinitions } from '../error-definition.js';

/** Steps. */
export const STEP_ERRORS = {
  'step/failed': {
    meaning: 'A step failed for good, so the run did not continue.',
    cause: 'The reason of the step names the cause.',
    fix: 'Fix the cause and replay the event.',
  },
} as const satisfies ErrorDefinitions;
