import type { ErrorDefinitions } from '../error-definition.js';

/** Redis and the data directory. */
export const REDIS_ERRORS = {} as const satisfies ErrorDefinitions;
