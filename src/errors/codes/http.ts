import type { ErrorDefinitions } from '../error-definition.js';

/** HTTP requests to the service. */
export const HTTP_ERRORS = {} as const satisfies ErrorDefinitions;
