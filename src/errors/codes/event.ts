import type { ErrorDefinitions } from '../error-definition.js';

/** Events and their processing. */
export const EVENT_ERRORS = {} as const satisfies ErrorDefinitions;
