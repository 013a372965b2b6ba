import type { ErrorDefinitions } from '../error-definition.js';

/** Starting and stopping the service. */
export const SERVICE_ERRORS = {} as const satisfies ErrorDefinitions;
