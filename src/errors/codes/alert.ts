import type { ErrorDefinitions } from '../error-definition.js';

/** Alerts and the messages made of them. */
export const ALERT_ERRORS = {} as const satisfies ErrorDefinitions;
