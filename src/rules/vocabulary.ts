import type { z } from 'zod';

/**
 * The shape of a value as conditions and templates see it. Any value may be null at run time: most device fields are on
 * some platform.
 */
export type Shape =
  | 'string'
  | 'number'
  | 'bool'
  /** An ISO 8601 text in templates, a timestamp in conditions. */
  | 'time'
  /** Anything: its fields are not checked. */
  | 'any'
  | { readonly list: Shape }
  /** A record with named fields. */
  | { readonly fields: Readonly<Record<string, Shape>> }
  /** A record whose field names are the account's own, such as custom attributes. */
  | { readonly mapOf: Shape };

/**
 * How much harm an action can do: none, an interruption for whoever uses the device, or a loss that nothing brings back.
 * Destructive ones need `allow: [destructive]` on the rule.
 */
export type ActionClass = 'safe' | 'disruptive' | 'destructive';

/** What an action tells the rules about itself; what it does is not their business. */
export interface ActionSignature {
  readonly class: ActionClass;
  /** What it does, for people. */
  readonly about?: string;
  /** Checks the arguments, when the file loads and again when templates have been filled in. */
  readonly args: z.ZodType<Readonly<Record<string, unknown>>>;
  /** What a step of this action leaves behind for later steps as `steps.<id>`. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /** The facts that the action itself needs, whatever its arguments say. */
  readonly facts: readonly string[];
}

/** Everything that a rule file can name. */
export interface Vocabulary {
  readonly facts: Readonly<Record<string, Shape>>;
  readonly actions: Readonly<Record<string, ActionSignature>>;
  /** Event types that are known; others are taken as well, unless they look like a misspelt known one. */
  readonly eventTypes: readonly string[];
  /** The accounts that a rule can be for. */
  readonly accounts: readonly string[];
  /** Whether `${env:NAME}` can be resolved. */
  readonly isEnvSet: (name: string) => boolean;
}

/** The event itself, known before any fact is fetched. */
export const EVENT_SHAPE: Shape = {
  fields: {
    id: 'string',
    account: 'string',
    type: 'string',
    at: 'time',
    received_at: 'time',
    source: 'string',
    data: 'any',
  },
};
