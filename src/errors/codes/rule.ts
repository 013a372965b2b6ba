import type { ErrorDefinitions } from '../error-definition.js';

/** Rule files and rule tests. */
export const RULE_ERRORS = {} as const satisfies ErrorDefinitions;
