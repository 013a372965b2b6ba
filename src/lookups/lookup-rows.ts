import type { LookupData } from '../rules/model/lookup.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';

/** The rows of a lookup now. */
export interface LookupRows {
  readonly data: LookupData;
  /** What a reader should know about the rows: that they are old, or that some were left out. */
  readonly warnings: readonly string[];
}

/** What a lookup over HTTP works with. */
export interface LookupContext {
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly metrics?: Pick<Metrics, 'lookupRefreshes'>;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}
