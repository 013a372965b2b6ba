import type { ErrorDefinitions } from '../error-definition.js';

/** Schedules and sweeps. */
export const SCHEDULE_ERRORS = {} as const satisfies ErrorDefinitions;
