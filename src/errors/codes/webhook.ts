import type { ErrorDefinitions } from '../error-definition.js';

/** Webhooks. */
export const WEBHOOK_ERRORS = {} as const satisfies ErrorDefinitions;
