import type { ErrorDefinitions } from '../error-definition.js';

/** Runs. */
export const RUN_ERRORS = {} as const satisfies ErrorDefinitions;
