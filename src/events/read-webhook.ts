import { isJsonObject } from './envelope.js';
import type { Webhook } from './envelope.js';
import type { EventIdentity } from './fingerprint.js';
import { shown } from './oddity.js';
import type { Oddity } from './oddity.js';
import { parseJson } from './parse-json.js';
import { listFrom, readDevice } from './webhook-device.js';
import { readTime } from './webhook-time.js';
import { KNOWN_TYPES } from './webhook-types.js';

/** A webhook as the service understands it. */
export interface ReadWebhook {
  /** What rules see. */
  readonly webhook: Webhook;
  /** Whether `at` comes from the webhook. If not, it is the time of receipt. */
  readonly hasTime: boolean;
  /** What makes the event different from others. For a webhook of the documented form, the same as `webhook`. */
  readonly identity: EventIdentity;
  /** The fields of the body that the event does not have in this form: odd ones, and those that the service does not know. */
  readonly original: Record<string, unknown>;
  readonly oddities: readonly Oddity[];
}

/** Why a body is not a webhook: the field, and what was expected. */
export interface NotAWebhook {
  readonly problem: string;
}

const EXPECTED_TYPE = 'expected an event type such as "device.enrolled"';

/**
 * Reads the body of an authenticated webhook. Every object with a `type` is a webhook, whatever else it holds: SimpleMDM does not send a
 * webhook again, so a refused one would be lost. What does not fit the documented form (SimpleMDM API reference, section Webhooks) is kept and
 * flagged.
 *
 * @param body - Parsed JSON, nested at most `MAX_DEPTH` levels.
 */
export function readWebhook(body: unknown, receivedAt: Date): ReadWebhook | NotAWebhook {
  if (!isJsonObject(body)) return { problem: `the body is ${kindOf(body)}; expected an object` };
  const { type: givenType, at: givenAt, data: givenData, device: givenDevice } = body;
  if (typeof givenType !== 'string' || givenType.trim() === '')
    return { problem: `type: ${EXPECTED_TYPE}, found ${shown(givenType)}` };
  const type = readType(givenType);
  const time = readTime(givenAt);
  const content = readData(givenData);
  const device = readDevice(type.type, content.data, givenDevice);
  const unknown = Object.entries(body).filter(
    ([name]) => !['type', 'at', 'data'].includes(name) && !(name === 'device' && device.usedTopLevel),
  );
  const originals: [string, unknown][] = [
    ...(type.oddity === undefined ? [] : [entry('type', givenType)]),
    ...(time.oddity === undefined || givenAt === undefined ? [] : [entry('at', givenAt)]),
    ...(content.oddity === undefined ? [] : [entry('data', givenData)]),
    ...unknown,
  ];
  const webhook = { type: type.type, at: time.at ?? receivedAt.toISOString(), data: device.data };
  return {
    webhook,
    hasTime: time.at !== undefined,
    // What could not be read as data must still tell two events apart.
    identity: {
      type: type.type === givenType || type.isKnown ? type.type : givenType,
      at: time.at ?? givenAt ?? null,
      data: content.oddity === undefined ? device.data : [device.data, givenData],
    },
    original: Object.fromEntries(originals),
    oddities: [
      ...present(type.oddity),
      ...present(time.oddity),
      ...present(content.oddity),
      ...device.oddities,
      ...unknownFields(unknown.map(([name]) => name)),
    ],
  };
}

const WELL_FORMED_TYPE = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const MAX_TYPE_LENGTH = 128;
/** The type of a webhook whose `type` has only invisible characters. */
const UNREADABLE_TYPE = 'unreadable';

/**
 * The type for rules. A type that differs from a documented one only in case and separators is that type. Any other odd type keeps its text,
 * without control characters and up to a length that lists can show.
 */
function readType(given: string): { type: string; isKnown: boolean; oddity?: Oddity } {
  if (WELL_FORMED_TYPE.test(given) && given.length <= MAX_TYPE_LENGTH) {
    const known = KNOWN_TYPES.includes(given) ? given : knownTypeLike(given);
    if (known === undefined || known === given) return { type: given, isKnown: known !== undefined };
  }
  const visible = visibleText(given);
  const known = knownTypeLike(visible);
  const type = known ?? (visibleText(visible.slice(0, MAX_TYPE_LENGTH)) || UNREADABLE_TYPE);
  const text =
    type === given
      ? `type is ${shown(given)}, not a dotted event type`
      : `type is ${shown(given)}, read as ${shown(type)}`;
  return { type, isKnown: known !== undefined, oddity: { kind: 'type', text } };
}

/** Without control characters and invisible ones, such as those that turn text around; a lone surrogate cannot be stored. */
function visibleText(given: string): string {
  return given
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Surrogate}/gu, '\uFFFD')
    .trim();
}

function knownTypeLike(given: string): string | undefined {
  const plain = (type: string): string =>
    type
      .trim()
      .toLowerCase()
      .replace(/[\s._:/-]+/g, '.');
  const wanted = plain(given.slice(0, 2 * MAX_TYPE_LENGTH));
  return KNOWN_TYPES.find((type) => plain(type) === wanted);
}

/** `data` as an object. The test button of SimpleMDM sends none, which is not odd. */
function readData(given: unknown): { data: Record<string, unknown>; oddity?: Oddity } {
  if (given === undefined || given === null) return { data: {} };
  if (isJsonObject(given)) return { data: given };
  const flagged = (found: Record<string, unknown> | undefined, how: string) => ({
    data: found ?? {},
    oddity: {
      kind: 'data' as const,
      text: `data is ${kindOf(given)}, ${found === undefined ? 'not an object: rules see no data' : how}`,
    },
  });
  if (typeof given === 'string') return flagged(objectInText(given), 'read as the JSON in it');
  const [only, ...others] = listFrom(given);
  return flagged(others.length === 0 && isJsonObject(only) ? only : undefined, 'read as its only entry');
}

/** An object that a proxy has encoded twice. */
function objectInText(text: string): Record<string, unknown> | undefined {
  try {
    const { value } = parseJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const MAX_NAMES = 5;

function unknownFields(names: readonly string[]): Oddity[] {
  if (names.length === 0) return [];
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  const list = names.slice(0, MAX_NAMES).map(shown).join(', ');
  return [{ kind: 'unknown_field', text: `unknown fields beside type, at and data: ${list}${more}` }];
}

function entry(name: string, value: unknown): [string, unknown] {
  return [name, value];
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'a text' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
