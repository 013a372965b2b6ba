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
  /** A text that is always one of these. */
  | { readonly oneOf: readonly string[] }
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
  /** A step of a rule, in YAML. */
  readonly example?: string;
  /** Checks the arguments, when the file loads and again when templates have been filled in. */
  readonly args: z.ZodType<Readonly<Record<string, unknown>>>;
  /** What a step of this action leaves behind for later steps as `steps.<id>`. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /** The facts that the action itself needs, whatever its arguments say. */
  readonly facts: readonly string[];
  /** The argument that is meant where a plain value stands in place of the arguments: `wait: 10m`. */
  readonly shorthand?: string;
  /** What arguments refer to by name or id, by the name of the argument: checked when the file loads. */
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  /** Whether there must be a device, although no fact of it is named. */
  readonly onDevice?: boolean;
}

/** What rules refer to by name or id. */
export type ReferenceKind =
  | 'app'
  | 'assignment group'
  | 'channel'
  | 'custom attribute'
  | 'DEP server'
  | 'device group'
  | 'enrollment'
  | 'profile'
  | 'script';

/** Something that a condition or a text refers to by name, and where in it. */
export interface NamedReference {
  readonly kind: ReferenceKind;
  readonly text: string;
  readonly offset: number;
}

/** Something that can be referred to. */
export interface CatalogEntry {
  readonly id: number | string;
  readonly name: string | undefined;
}

/** What can be referred to in an account; a kind that is left out is not known, and references to it are not checked. */
export type ReferenceCatalog = Readonly<Partial<Record<ReferenceKind, readonly CatalogEntry[]>>>;

/** What a kind of channel tells the rules about itself. */
export interface ChannelSignature {
  /** What it sends to, for people. */
  readonly about: string;
  /** Checks what stands beside `type` in the file. `${env:NAME}` may stand in any text. */
  readonly settings: z.ZodType<Readonly<Record<string, unknown>>>;
}

/** Everything that a rule file can name. */
export interface Vocabulary {
  readonly facts: Readonly<Record<string, Shape>>;
  /** Those that there are only for an event about a device. */
  readonly deviceFacts: readonly string[];
  readonly actions: Readonly<Record<string, ActionSignature>>;
  /** Event types that are known; others are taken as well, unless they look like a misspelt known one. */
  readonly eventTypes: readonly string[];
  /** What is known of the `data` of an event by its type; there may be more in it. */
  readonly eventData: Readonly<Record<string, Shape>>;
  /** The kinds of channels by the name that files call them. */
  readonly channelTypes: Readonly<Record<string, ChannelSignature>>;
  /** The accounts that a rule can be for. */
  readonly accounts: readonly string[];
  /** What rules for an account can refer to; nothing is checked when the function is left out. */
  readonly catalogs?: (account: string) => ReferenceCatalog;
  /** Whether `${env:NAME}` can be resolved. */
  readonly isEnvSet: (name: string) => boolean;
}

/** Facts that are also known as a field of another: `device.attributes.department` names the fact `attributes`. */
const FACTS_WITHIN: Readonly<Record<string, string>> = { 'device.attributes': 'attributes' };

/** Where the custom attributes of the device are. */
export const ATTRIBUTE_PATHS: readonly string[] = ['attributes', 'device.attributes'];

/** Where what the webhook says is. */
export const EVENT_DATA_PATH = 'event.data';

/** The fact that a path such as `device`, `name` names. */
export function factOfPath(path: readonly unknown[]): string {
  const [first] = path;
  return FACTS_WITHIN[path.slice(0, 2).join('.')] ?? (typeof first === 'string' ? first : '');
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
