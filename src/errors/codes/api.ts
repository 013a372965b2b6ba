import type { ErrorDefinitions } from '../error-definition.js';

/** Calls to the SimpleMDM API. */
export const API_ERRORS = {} as const satisfies ErrorDefinitions;
