/**
 * A typed client for the SimpleMDM API, of use without the rest of mdm-reflex: `import { createSimpleMdm } from 'mdm-reflex/simplemdm'`.
 *
 * @module
 */
export { createSimpleMdm } from './client.js';
export type { SimpleMdm } from './client.js';
export type { SimpleMdmOptions } from './options.js';
export { SimpleMdmError } from './errors.js';
export type { Failure, FailureKind } from './errors.js';
export { createLocalBudget } from './rate-budget.js';
export type { Pause, Rate, RateBudget, Turn } from './rate-budget.js';
export { createSharedBudget } from './shared-budget.js';
export { openFile } from './open-file.js';
export type { Download } from './answer.js';
export type { ApiCall } from './call-log.js';
export type { Page, PageOptions, RecordId } from './resource.js';
export type { Parameter, Upload } from './request.js';
