import type { ErrorDefinitions } from '../error-definition.js';

/** Channels and deliveries. */
export const CHANNEL_ERRORS = {} as const satisfies ErrorDefinitions;
