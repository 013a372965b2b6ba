/**
 * A typed client for the SimpleMDM API, usable without the service: `import { createSimpleMdm } from 'mdm-reflex/simplemdm'`.
 *
 * @module
 */
export { createSimpleMdm } from './client.js';
export type { SimpleMdm } from './client.js';
export type { SimpleMdmOptions } from './options.js';
export { SimpleMdmError } from './errors.js';
export type { CallIdentity, Failure, FailureKind } from './errors.js';
export type { ErrorCode } from '../errors/registry.js';
export type { AnswerWarning } from './answer-warnings.js';
export type { CircuitBreakerState } from './circuit-breaker.js';
export { createLocalRateLimiter } from './rate-limiter.js';
export type { AccountPause, RateLimiter, Reservation } from './rate-limiter.js';
export type { Rate } from './token-bucket.js';
export { withLane } from './lane.js';
export type { Lane } from './lane.js';
export { createSharedRateLimiter } from './shared-rate-limiter.js';
export { openFile } from './open-file.js';
export type { Download } from './api-response.js';
export type { ApiCall } from '../http/api-call.js';
export type { RecordId } from './list-pages.js';
export type { Page, PageOptions } from './resource.js';
export type { Parameter, Upload } from './request.js';
