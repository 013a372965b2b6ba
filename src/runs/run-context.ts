import type { NewAlert } from '../alerts/alert.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import type { Event } from '../events/envelope.js';
import type { Claim } from '../coordination/claims.js';
import type { JobRetry } from '../queues/job-outcome.js';
import type { StepRecord } from '../queues/jobs.js';
import type { Rule } from '../rules/model/rule.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import type { Logger } from '../telemetry/logger.js';
import type { StepFailure } from './attempt-record.js';
import type { ExpectedEvent } from './loop-protection.js';
import type { RaisedValue } from './run-edge.js';
import type { StepApprovals } from './wait-for-approval.js';
import type { RunSecrets } from './run-secrets.js';
import type { Settling } from './settling.js';

/** What the steps of a run need. */
export interface RunContext {
  readonly event: Event;
  readonly rule: Rule;
  /** Identifies the run; the same in every attempt. */
  readonly runKey: string;
  /** For the steps of `on_clear`: what the run of `do` left. */
  readonly raised?: RaisedValue | undefined;
  /** The records from earlier attempts, by position. */
  readonly steps: readonly StepRecord[];
  readonly facts: FactFetcher;
  /** Aborted when the process stops. */
  readonly stop: AbortSignal;
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  readonly secrets: RunSecrets;
  /** The claims of a step, by its position: two steps may run the same script. */
  readonly claimFor: (step: string) => Claim;
  /**
   * Saves the records before a call that changes something and after each step. Returns them as saved. Throws when another worker has the
   * run.
   */
  readonly saveSteps: (steps: readonly StepRecord[], save?: StepSave) => Promise<readonly StepRecord[]>;
  /** Called before each step and item. Returns why the remaining ones are skipped, when a later run has superseded this one. */
  readonly superseded: () => Promise<string | undefined>;
  /** The approvals of steps; undefined when nobody is asked. */
  readonly stepApprovals?: StepApprovals;
  /** The webhook that an action will cause, before the action sends its call. */
  readonly expectEvent: (action: string) => Promise<ExpectedEvent | undefined>;
  /** Whether steps record their calls in place of sending them. */
  readonly dryRun: boolean;
  /** How to retry a failed step; undefined when the step fails for good. */
  readonly retryAfter: (error: StepFailure) => JobRetry | undefined;
  /** Called after each attempt at a step. */
  readonly countStep: (action: string, status: StepRecord['status']) => void;
  readonly dispatchAlert: (alert: NewAlert) => Promise<void>;
  readonly emitEvent: (event: Event) => Promise<void>;
  /** How steps wait for inventory that they name; undefined when they do not. */
  readonly inventory?: StepInventory | undefined;
  readonly now: () => Date;
}

/** What {@link RunContext.saveSteps} saves beside the records. */
export interface StepSave {
  /** The webhook that the call which follows will cause. */
  readonly expected?: ExpectedEvent | undefined;
  /** Whether the last step has ended: the end of the run saves the records. */
  readonly endsRun?: boolean;
}

/** How the steps of a run wait for inventory. */
export interface StepInventory {
  readonly settling: Settling;
  /** The pauses between looks, in milliseconds. */
  readonly pausesMs: readonly number[] | undefined;
  /** Called when a step begins to wait. */
  readonly onWait: () => void;
}
