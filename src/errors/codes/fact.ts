import type { ErrorDefinitions } from '../error-definition.js';

/** Facts that are looked up. */
export const FACT_ERRORS = {
  'fact/lookup-failed': {
    meaning: 'A fact could not be looked up.',
    cause: 'A defect, or a rule that names a fact which this version does not have.',
    fix: 'Read the error in the trace of the event. Replay the event after the fix.',
  },
} as const satisfies ErrorDefinitions;
