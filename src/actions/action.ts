import type { ErrorCode } from '../errors/registry.js';
import type { z } from 'zod';
import type { Alert } from '../alerts/alert.js';
import type { Event } from '../events/envelope.js';
import type { Claim } from '../coordination/claims.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { ActionClass, ActionSignature, ReferenceKind, Shape } from '../rules/model/vocabulary.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Directory } from '../simplemdm/directory.js';
import type { Logger } from '../telemetry/logger.js';

/** What an action works with. */
export interface ActionContext {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly directory: Directory;
  /** A fact of the event: its value, or null. */
  readonly fact: (name: string) => Promise<unknown>;
  readonly logger: Logger;
  /** Says that a thing at SimpleMDM is this run's own; false when it is another run's. */
  readonly claim: Claim;
  /** A name for this step of this run, the same in every attempt. */
  readonly stepKey: string;
  /** When the step was begun for the first time. */
  readonly startedAt: Date;
  /** What the step left behind when it began to wait; undefined before. */
  readonly previousOutput: Readonly<Record<string, unknown>> | undefined;
  /** The rule that the step belongs to. */
  readonly rule: Pick<RuleSource, 'id' | 'description'>;
  /** Broken off when the step has used up its time. */
  readonly signal: AbortSignal;
  /** Hands a message to a channel's queue. */
  readonly dispatchAlert: (alert: Alert) => Promise<void>;
  /** Raises an event that rules take. */
  readonly emitEvent: (event: Event) => Promise<void>;
  readonly now: () => Date;
}

/** What an action came to. A failure is thrown. */
export type ActionResult =
  | { readonly status: 'completed'; readonly output: Readonly<Record<string, unknown>> }
  /** There was nothing to do, or it cannot be done to this device: not a failure. */
  | { readonly status: 'skipped'; readonly reason: string }
  /** It goes on later, with what it left behind so far; no worker is kept busy meanwhile. */
  | {
      readonly status: 'waiting';
      /** Epoch milliseconds. */
      readonly until: number;
      readonly reason: string;
      readonly output: Readonly<Record<string, unknown>>;
    }
  /** It failed for good and left something behind that later steps can look at. */
  | {
      readonly status: 'failed';
      readonly reason: string;
      readonly output: Readonly<Record<string, unknown>>;
    };

/** A named thing that can be done. */
export interface Action extends ActionSignature {
  /** What it does, in a sentence or two, for the documentation. */
  readonly about: string;
  /** A step of a rule, in YAML. */
  readonly example: string;
  /** The type of the webhook by which SimpleMDM tells of it, if it does. */
  readonly causes?: string;
  /**
   * Does it.
   *
   * @param args - As written in the rule, templates filled in.
   * @throws StepError for what trying again cannot mend; SimpleMdmError from the API.
   */
  readonly perform: (args: unknown, context: ActionContext) => Promise<ActionResult>;
  /**
   * Looks for the effect of an earlier attempt whose outcome is not known, because the answer was lost or the process was killed:
   * what a call that is not idempotent needs so as not to be made twice.
   *
   * @param since - When that attempt began.
   * @returns Its result, or undefined when it had no effect.
   */
  readonly findEarlier?: (
    args: unknown,
    context: ActionContext,
    since: Date,
  ) => Promise<ActionResult | undefined>;
}

/** How an action is written down: with its arguments typed by their schema. */
export interface ActionDefinition<S extends z.ZodObject> {
  /** What it does, in a sentence or two, for the documentation. */
  readonly about: string;
  /** A step of a rule, in YAML. */
  readonly example: string;
  /** The type of the webhook by which SimpleMDM tells of it, if it does. */
  readonly causes?: string;
  /** `safe` when left out. */
  readonly class?: ActionClass;
  readonly args: S;
  readonly outputs: Readonly<Record<string, Shape>>;
  readonly facts: readonly string[];
  readonly shorthand?: string;
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  readonly onDevice?: boolean;
  readonly perform: (args: z.output<S>, context: ActionContext) => Promise<ActionResult>;
  readonly findEarlier?: (
    args: z.output<S>,
    context: ActionContext,
    since: Date,
  ) => Promise<ActionResult | undefined>;
}

/** Makes an action of its definition: the arguments are parsed each time, since templates fill them in late. */
export function defineAction<S extends z.ZodObject>(definition: ActionDefinition<S>): Action {
  const {
    about,
    example,
    causes,
    args,
    outputs,
    facts,
    shorthand,
    refersTo,
    onDevice,
    perform,
    findEarlier,
    class: actionClass = 'safe',
  } = definition;
  const parse = (given: unknown): z.output<S> => {
    const parsed = args.safeParse(given);
    if (parsed.success) return parsed.data;
    throw new StepError(
      'step/failed',
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  };
  return {
    about,
    example,
    ...(causes !== undefined && { causes }),
    class: actionClass,
    args,
    outputs,
    facts,
    ...(shorthand !== undefined && { shorthand }),
    ...(refersTo && { refersTo }),
    ...(onDevice !== undefined && { onDevice }),
    perform: async (given, context) => perform(parse(given), context),
    ...(findEarlier && {
      findEarlier: async (given: unknown, context: ActionContext, since: Date) =>
        findEarlier(parse(given), context, since),
    }),
  };
}

/** A step that may succeed when it is tried again later. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  /** Not before this time, in epoch milliseconds, when the other side said so. */
  readonly notBefore: number | undefined;

  constructor(message: string, notBefore?: number) {
    super(message);
    this.notBefore = notBefore;
  }
}

/** A step that cannot succeed as it is, with what to change in words. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
