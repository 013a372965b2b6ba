import type { z } from 'zod';
import type { ChannelSource } from './rule-schema.js';
import type { TextPlace } from '../liquid/text-place.js';

/** The shape of a value in conditions and templates. Any value may be null at run time: most device fields are on some platform. */
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
  /** A record whose field names come from the account, such as custom attributes. */
  | { readonly mapOf: Shape }
  /** A lookup: rows by key. */
  | { readonly tableOf: Shape };

/**
 * The harm that an action can do: none, an interruption for the user of the device, or a loss that nothing restores.
 * Destructive actions need `allow: [destructive]` on the rule.
 */
export type ActionClass = 'safe' | 'disruptive' | 'destructive';

/** What rules know about an action: enough to check a step, nothing about how it runs. */
export interface ActionSignature {
  readonly class: ActionClass;
  /** What the action does, for people. */
  readonly about?: string;
  /** A step of a rule, in YAML. */
  readonly example?: string;
  /** Checks the arguments when the file loads, and again when the templates in them are rendered. */
  readonly args: z.ZodType<Readonly<Record<string, unknown>>>;
  /** What later steps can read as `steps.<id>`. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /** The facts that the action needs, whatever its arguments are. */
  readonly facts: readonly string[];
  /** The argument that a plain value stands for: `for` in `wait: 10m`. */
  readonly shorthand?: string;
  /** The arguments that refer to objects by name or id: checked when the file loads. */
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  /** The argument with the recipients of a message, for channels that have recipients. */
  readonly recipientsIn?: string;
  /** Where the texts of an argument go; `text` when this is left out. */
  readonly placeOf?: (argument: string, args: Readonly<Record<string, unknown>>) => TextPlace;
  /** The arguments that are conditions: checked when the file loads. The action evaluates them itself, on fresh facts. */
  readonly conditions?: readonly string[];
  /** Whether the action needs a device although it names no fact of one. */
  readonly onDevice?: boolean;
}

/** The kinds of objects that rules refer to by name or id. */
export type ReferenceKind =
  | 'app'
  | 'assignment group'
  | 'channel'
  | 'custom attribute'
  | 'declaration'
  | 'DEP server'
  | 'device group'
  | 'enrollment'
  | 'profile'
  | 'script';

/** A reference by name in a condition or a template, and how many characters into the text it starts. */
export interface NamedReference {
  readonly kind: ReferenceKind;
  /** Another kind that the name may be of. */
  readonly or?: ReferenceKind;
  readonly text: string;
  readonly offset: number;
}

/** A field that a condition or a template reads, and how many characters into the text its name starts. */
export interface NamedField {
  readonly name: string;
  readonly offset: number;
}

/** An object that rules can refer to. */
export interface CatalogEntry {
  readonly id: number | string;
  readonly name: string | undefined;
}

/** The objects of an account that rules can refer to. References of a kind that is left out are not checked. */
export type ReferenceCatalog = Readonly<Partial<Record<ReferenceKind, readonly CatalogEntry[]>>>;

/** What rules know about a channel type. */
export interface ChannelSignature {
  /** What it sends to, for people. */
  readonly about: string;
  /** Checks the keys beside `type`. Every text may contain `${env:NAME}`. */
  readonly settings: z.ZodType<Readonly<Record<string, unknown>>>;
  /**
   * The problem with a recipient that a rule names, if any. Undefined when the channel has no recipients.
   *
   * @param recipient - Undefined when it is a template: known only when the step runs.
   */
  readonly problemWithRecipient?: (
    settings: Readonly<Record<string, unknown>>,
    recipient: string | undefined,
  ) => string | undefined;
}

/** Everything that a rule file can name. */
export interface Vocabulary {
  readonly facts: Readonly<Record<string, Shape>>;
  /** The facts that only events about a device have. */
  readonly deviceFacts: readonly string[];
  readonly actions: Readonly<Record<string, ActionSignature>>;
  /** The known event types. Others are allowed too, unless they look like a misspelled known type. */
  readonly eventTypes: readonly string[];
  /** The known `data` of an event by its type; an event may have more. */
  readonly eventData: Readonly<Record<string, Shape>>;
  readonly channelTypes: Readonly<Record<string, ChannelSignature>>;
  /** The channels of the rule files. Recipients are not checked when this is left out. */
  readonly channels?: readonly ChannelSource[];
  /** The accounts that a rule can be for. */
  readonly accounts: readonly string[];
  /** The reference catalog of an account. References are not checked when this is left out. */
  readonly catalogs?: (account: string) => ReferenceCatalog;
  /** Whether an environment variable is set, for `${env:NAME}`. */
  readonly isEnvSet: (name: string) => boolean;
}

/** Facts that are also a field of another fact: `device.attributes.department` reads the fact `attributes`. */
const FACTS_WITHIN: Readonly<Record<string, string>> = { 'device.attributes': 'attributes' };

/** The paths of the custom attributes of the device. */
export const ATTRIBUTE_PATHS: readonly string[] = ['attributes', 'device.attributes'];

/** The path of the data of the webhook. */
export const EVENT_DATA_PATH = 'event.data';

/** The name under which rules read lookups: `lookup.staff[…]`. */
export const LOOKUP = 'lookup';

/** The name of the fact that holds a lookup: each lookup is fetched by itself. */
export const lookupFact = (name: string): string => `${LOOKUP}.${name}`;

/** The lookup of a fact name; undefined for another fact. */
export function lookupOfFact(fact: string): string | undefined {
  return fact.startsWith(`${LOOKUP}.`) ? fact.slice(LOOKUP.length + 1) : undefined;
}

/** The fact that a path such as `device`, `name` reads. */
export function factOfPath(path: readonly unknown[]): string {
  const [first, second] = path;
  if (first === LOOKUP && typeof second === 'string') return lookupFact(second);
  return FACTS_WITHIN[path.slice(0, 2).join('.')] ?? (typeof first === 'string' ? first : '');
}

/** The shape of the event, which is known before any fact is fetched. */
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
