import type { ErrorDefinitions } from '../error-definition.js';

/** Settings and accounts. */
export const SETTINGS_ERRORS = {} as const satisfies ErrorDefinitions;
