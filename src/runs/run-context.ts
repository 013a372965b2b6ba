import type { Alert } from '../alerts/alert.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import type { Event } from '../events/envelope.js';
import type { Claim } from '../coordination/claims.js';
import type { StepRecord } from '../queues/jobs.js';
import type { Rule } from '../rules/model/rule.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';
import type { Logger } from '../telemetry/logger.js';
import type { StepFailure } from './attempt-record.js';

/** What the steps of a run are performed with. */
export interface RunStepsOptions {
  readonly event: Event;
  readonly rule: Rule;
  /** A name for the run, the same in every attempt. */
  readonly runKey: string;
  /** What is known of each step from earlier attempts, by position. */
  readonly steps: readonly StepRecord[];
  readonly facts: FactFetcher;
  /** Breaks off what is under way when the process stops. */
  readonly stop: AbortSignal;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** The claims of a step, by its name: two steps may run the same script. */
  readonly claimFor: (step: string) => Claim;
  /** Keeps what is known of the steps, before a call that changes something and after each step; gives them as kept. */
  readonly saveSteps: (steps: readonly StepRecord[]) => Promise<readonly StepRecord[]>;
  /** Throws when the run is no longer ours to go on with. */
  readonly confirmOwnership: () => Promise<void>;
  /** Why the steps that are left are not to be done any more, if so: asked before each. */
  readonly superseded: () => Promise<string | undefined>;
  /** Told before a step's call is sent that this action is about to be done. What it gives takes that back when the call fails. */
  readonly beforeAction: (action: string) => Promise<(() => Promise<void>) | undefined>;
  /** Whether nothing is to be sent: everything is done up to the last send, which is put down instead. */
  readonly dryRun: boolean;
  /** When a step that failed so is to be tried again; undefined when it is not. */
  readonly retryAfter: (error: StepFailure) => RunDelay | undefined;
  /** Told of every step that came to something. */
  readonly onStep: (action: string, status: StepRecord['status']) => void;
  readonly dispatchAlert: (alert: Alert) => Promise<void>;
  readonly emitEvent: (event: Event) => Promise<void>;
  readonly now: () => Date;
}

/** A run that goes on later. */
export interface RunDelay {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Whether it uses up an attempt of the run, or waits for something that is no fault of its own, or gives way to a stop of the process. */
  readonly costs: 'attempt' | 'nothing' | 'hand_back';
}
