import type { ErrorDefinitions } from '../error-definition.js';

/** Facts that are looked up. */
export const FACT_ERRORS = {} as const satisfies ErrorDefinitions;
