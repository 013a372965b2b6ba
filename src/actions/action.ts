import type { z } from 'zod';
import type { NewAlert } from '../alerts/alert.js';
import type { Claim } from '../coordination/claims.js';
import type { ErrorCode } from '../errors/registry.js';
import type { Event } from '../events/envelope.js';
import type { ConditionResult } from '../rules/cel/condition.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { ActionClass, ActionSignature, ReferenceKind, Shape } from '../rules/model/vocabulary.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import type { Logger } from '../telemetry/logger.js';

/** What an action works with. */
export interface ActionContext {
  readonly event: Event;
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  /** A fact of the event: its value, or null. */
  readonly fact: (name: string) => Promise<unknown>;
  /**
   * Evaluates a condition among the arguments on facts that it looks up anew.
   *
   * @throws SimpleMdmError when a fact cannot be looked up.
   */
  readonly look: (argument: string) => Promise<ConditionResult>;
  readonly logger: Logger;
  /** Claims an object at SimpleMDM for this step; false when another step has claimed the object. */
  readonly claim: Claim;
  /** Identifies this step of this run; the same in every attempt. */
  readonly stepKey: string;
  /** When the first attempt at the step started. */
  readonly startedAt: Date;
  /** The output of the step when it started to wait; undefined before. */
  readonly previousOutput: Readonly<Record<string, unknown>> | undefined;
  /** The arguments that could not be rendered in full, and why. Only for an action that `needsNoValues`. */
  readonly renderProblems?: readonly RenderProblem[];
  /** The rule of the step. */
  readonly rule: Pick<RuleSource, 'id' | 'description'>;
  /** Aborted when the step times out or the process stops. */
  readonly signal: AbortSignal;
  /** Hands an alert to the queue of its channel. */
  readonly dispatchAlert: (alert: NewAlert) => Promise<void>;
  /** Emits an event that rules can match. */
  readonly emitEvent: (event: Event) => Promise<void>;
  readonly now: () => Date;
}

/** An argument that could not be rendered in full. */
export interface RenderProblem {
  /** The name of the argument, such as `title` or `labels.team`. */
  readonly argument: string;
  readonly reason: string;
}

/** The result of an action. A failure without output is thrown. */
export type ActionResult =
  | {
      readonly status: 'completed';
      readonly output: Readonly<Record<string, unknown>>;
      /** What is missing from the result. */
      readonly reason?: string;
      readonly code?: ErrorCode;
      /** More names of fields whose values are secret in the output. */
      readonly secretNames?: readonly string[];
    }
  /** Nothing to do, or the device does not support the action: not a failure. */
  | {
      readonly status: 'skipped';
      readonly reason: string;
      /** Set when the reason is a problem. */
      readonly code?: ErrorCode;
    }
  /** The step continues later with this output. No worker is busy until then. */
  | {
      readonly status: 'waiting';
      /** Epoch milliseconds. */
      readonly until: number;
      readonly reason: string;
      readonly output: Readonly<Record<string, unknown>>;
    }
  /** The step failed for good, with output for later steps. */
  | {
      readonly status: 'failed';
      readonly reason: string;
      readonly code: ErrorCode;
      readonly output: Readonly<Record<string, unknown>>;
    };

/** The form in which the output of an action is stored, when the output holds the same twice. */
export interface OutputForm {
  readonly stored: (output: Readonly<Record<string, unknown>>) => Record<string, unknown>;
  /** The inverse of `stored`. */
  readonly complete: (stored: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/** Something that a step can do. */
export interface Action extends ActionSignature {
  /** What the action does, in a sentence or two, for the documentation. */
  readonly about: string;
  /** A step of a rule, in YAML. */
  readonly example: string;
  /** The type of the webhook that SimpleMDM sends because of the action, if any. */
  readonly causes?: string;
  /** The fields of `device` that the action decides on: a step waits for them, as for those that it names. */
  readonly decidesOn?: readonly string[];
  /**
   * Whether the action is performed although a template in its arguments fails or a fact is unavailable for minutes. It then gets what
   * can be rendered, and {@link ActionContext.renderProblems}.
   */
  readonly needsNoValues?: boolean;
  readonly outputForm?: OutputForm;
  /**
   * Performs the action.
   *
   * @param args - As written in the rule, templates rendered.
   * @throws StepError when a retry cannot help; RetryLaterError when a retry can; SimpleMdmError from the API.
   */
  readonly perform: (args: unknown, context: ActionContext) => Promise<ActionResult>;
  /**
   * Looks for the effect of an earlier attempt whose outcome is unknown, because the response was lost or the process was
   * killed. Needed for calls that are not idempotent.
   *
   * @param since - When that attempt started.
   * @returns The result of that attempt, or undefined when it had no effect.
   */
  readonly findEarlier?: (
    args: unknown,
    context: ActionContext,
    since: Date,
  ) => Promise<ActionResult | undefined>;
}

/** An {@link Action} as its file writes it, with arguments typed by their schema. */
export interface ActionDefinition<S extends z.ZodObject> {
  readonly about: string;
  readonly example: string;
  readonly causes?: string;
  readonly decidesOn?: readonly string[];
  /** `safe` by default. */
  readonly class?: ActionClass;
  readonly args: S;
  /** Parses the rendered arguments, when they may be something that a rule may not say. `args` by default. */
  readonly renderedArgs?: z.ZodType<z.output<S>>;
  readonly needsNoValues?: boolean;
  readonly recipientsIn?: string;
  readonly outputs: Readonly<Record<string, Shape>>;
  readonly facts: readonly string[];
  readonly shorthand?: string;
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  readonly conditions?: readonly string[];
  readonly onDevice?: boolean;
  readonly placeOf?: ActionSignature['placeOf'];
  readonly outputForm?: OutputForm;
  readonly perform: (args: z.output<S>, context: ActionContext) => Promise<ActionResult>;
  readonly findEarlier?: (
    args: z.output<S>,
    context: ActionContext,
    since: Date,
  ) => Promise<ActionResult | undefined>;
}

/** Makes an action from its definition. Arguments are parsed at each attempt, because templates render late. */
export function defineAction<S extends z.ZodObject>(definition: ActionDefinition<S>): Action {
  const {
    args,
    renderedArgs,
    perform,
    findEarlier,
    placeOf,
    class: actionClass = 'safe',
    ...signature
  } = definition;
  const parse = (input: unknown): z.output<S> => {
    const parsed = (renderedArgs ?? args).safeParse(input);
    if (parsed.success) return parsed.data;
    throw new StepError(
      'step/invalid-argument',
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    );
  };
  return {
    ...signature,
    ...(placeOf && { placeOf }),
    class: actionClass,
    args,
    perform: async (input, context) => perform(parse(input), context),
    ...(findEarlier && {
      findEarlier: async (input: unknown, context: ActionContext, since: Date) =>
        findEarlier(parse(input), context, since),
    }),
  };
}

/** A failed attempt at a step that may succeed later. */
export class RetryLaterError extends Error {
  override readonly name = 'RetryLaterError';
  readonly code: ErrorCode;
  /** The earliest time for the retry in epoch milliseconds, if the service named one. */
  readonly notBefore: number | undefined;

  constructor(code: ErrorCode, message: string, notBefore?: number) {
    super(message);
    this.code = code;
    this.notBefore = notBefore;
  }
}

/** A step that cannot succeed as it is. The message says what to change. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
