import type { ErrorDefinitions } from '../error-definition.js';

/** The command line. */
export const CLI_ERRORS = {} as const satisfies ErrorDefinitions;
