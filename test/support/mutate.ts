/**
 * Seeded mutations of JSON documents and HTTP answers: what proxies, portals, old records and other software make of a clean
 * answer. Pure: the same seed always gives the same mutation, so a failing test prints its seed.
 */

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** A JSON document after one mutation. */
export interface MutatedJson {
  readonly value: unknown;
  /** What was done, such as `attributes.name: text to number`. */
  readonly what: string;
}

/** An HTTP message: an answer of the API, or a webhook (whose status is unused). */
export interface Message {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A message after one mutation. */
export interface MutatedMessage extends Message {
  readonly what: string;
}

/** A generator of numbers (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One member of a list that is not empty. */
export function pick<T>(random: Random, members: readonly T[]): T {
  const member = members[Math.floor(random() * members.length)];
  if (member === undefined) throw new Error('there is nothing to pick from');
  return member;
}

type Path = readonly (string | number)[];

/** The paths of all values in a document except the document itself. */
export function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const members: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item: unknown, index): [number, unknown] => [index, item])
    : Object.entries(value);
  return members.flatMap(([key, inner]) => [[...path, key], ...pathsOf(inner, [...path, key])]);
}

/** The value at a path; undefined when there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  return valueAt(Object.entries(value).find(([name]) => name === String(key))?.[1], rest);
}

/** A copy of a document with the value at a path changed, or removed when `change` returns undefined. */
export function changeAt(value: unknown, path: Path, change: (old: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => {
      if (index !== key) return [item];
      const changed = changeAt(item, rest, change);
      return changed === undefined ? [] : [changed];
    });
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]: [string, unknown]) => {
      if (name !== key) return [[name, inner]];
      const changed = changeAt(inner, rest, change);
      return changed === undefined ? [] : [[name, changed]];
    }),
  );
}

/** The value as another type: a number as text, text as a number or a list, a list as its first item, an object as text … */
function ofAnotherType(random: Random, value: unknown): unknown {
  if (typeof value === 'number') return pick<unknown>(random, [String(value), [value], value + 0.5, true]);
  if (typeof value === 'boolean') return pick<unknown>(random, [String(value), value ? 1 : 0, [], {}]);
  if (typeof value === 'string') {
    return pick<unknown>(random, [12345, 0.87, true, [value], { value }, '', ` ${value} `, null]);
  }
  if (Array.isArray(value)) return pick<unknown>(random, [value[0] ?? 'none', {}, 'none', 0, null]);
  if (value === null) return pick<unknown>(random, ['', 0, false, {}, []]);
  return pick<unknown>(random, [[value], JSON.stringify(value), 7, true, null]);
}

/** What a mutation does to one value. */
const MUTATIONS: Readonly<Record<string, (random: Random, old: unknown) => unknown>> = {
  'another type': ofAnotherType,
  null: () => null,
  dropped: () => undefined,
  'wrapped in an object': (_, old) => ({ data: old }),
  'wrapped in a list': (_, old) => [old],
  'empty text': () => '',
  'a very long text': () => 'x'.repeat(5000),
  'a huge number': () => 1e300,
  'a negative number': () => -1,
  'control characters': () => 'a\u0000\u001b[31m\r\nX: y\u202e',
};

/**
 * Changes one value of a JSON document.
 *
 * @param only - The paths that may change; all by default.
 */
export function mutateJson(
  value: unknown,
  random: Random,
  only: (path: Path) => boolean = () => true,
): MutatedJson {
  const paths = pathsOf(value).filter(only);
  if (paths.length === 0) return { value: ofAnotherType(random, value), what: 'the document: another type' };
  const path = pick(random, paths);
  const name = pick(random, Object.keys(MUTATIONS));
  const mutation = MUTATIONS[name];
  return {
    value: changeAt(value, path, (old) => mutation?.(random, old)),
    what: `${path.join('.')}: ${name}`,
  };
}

/** Changes several values of a JSON document, one after the other. */
export function mutateJsonTimes(value: unknown, random: Random, times: number): MutatedJson {
  let mutated: MutatedJson = { value, what: '' };
  for (let done = 0; done < times; done += 1) {
    const next = mutateJson(mutated.value, random);
    mutated = { value: next.value, what: mutated.what === '' ? next.what : `${mutated.what}; ${next.what}` };
  }
  return mutated;
}

/** Pages of proxies, gateways and portals. */
export const HTML_PAGES: readonly string[] = [
  '<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center><hr><center>nginx</center></body></html>',
  '<!DOCTYPE html><html><body><form action="/login" method="post"><input name="password"></form></body></html>',
  '\n\n<!doctype html>\n<html lang="en"><h1>Welcome to Hotel Wi-Fi</h1><p>Accept the terms to continue</p></html>',
  '<html><body>Your request was blocked by the company proxy. Incident 8271.</body></html>',
];

/** JSON of software that is not SimpleMDM. */
export const FOREIGN_JSON: readonly unknown[] = [
  { message: 'no Route matched with those values' },
  { message: 'Missing Authentication Token' },
  { success: false, errors: [{ code: 7003, message: 'Could not route' }], result: null },
  { status: 404, error: 'Not Found' },
  [],
  {},
  null,
  'ok',
];

/** Statuses that proxies and portals answer with. */
export const FOREIGN_STATUSES: readonly number[] = [200, 302, 307, 403, 404, 405, 407, 410, 451];

/** What replaces a whole message. Each keeps nothing of what the sender wanted to say. */
export const REPLACEMENTS: Readonly<Record<string, (random: Random, message: Message) => Message>> = {
  HTML: (random) => ({
    status: pick(random, FOREIGN_STATUSES),
    contentType: pick(random, ['text/html', 'text/html; charset=utf-8', 'application/json']),
    body: pick(random, HTML_PAGES),
  }),
  'empty body': (random) => ({
    status: pick(random, [200, 302, 404, 410]),
    contentType: pick(random, ['text/plain', 'application/json']),
    body: '',
  }),
  'JSON of other software': (random) => ({
    status: pick(random, [200, 404, 410]),
    contentType: 'application/json',
    body: JSON.stringify(pick(random, FOREIGN_JSON)),
  }),
  'truncated JSON': (random, message) => ({
    ...message,
    body: message.body.slice(0, Math.max(1, Math.floor(message.body.length * random() * 0.99))),
  }),
  'server error': (random) => ({
    status: pick(random, [500, 502, 503, 504]),
    contentType: 'text/html',
    body: '<html><body>Bad Gateway</body></html>',
  }),
};

/** Replaces a whole message. */
export function replaceMessage(message: Message, random: Random): MutatedMessage {
  const name = pick(random, Object.keys(REPLACEMENTS));
  return { ...(REPLACEMENTS[name]?.(random, message) ?? message), what: name };
}

/**
 * Mutates a message with a JSON body: the whole message in one of three cases, otherwise one to three values of its body, sometimes
 * with a wrong content type.
 */
export function mutateMessage(message: Message, seed: number): MutatedMessage {
  const random = seededRandom(seed);
  if (random() < 1 / 3) return replaceMessage(message, random);
  const body: unknown = JSON.parse(message.body);
  const { value, what } = mutateJsonTimes(body, random, 1 + Math.floor(random() * 3));
  const contentType = random() < 0.2 ? pick(random, ['text/plain', 'text/html', '']) : message.contentType;
  return {
    ...message,
    contentType,
    body: JSON.stringify(value),
    what: contentType === message.contentType ? what : `${what}; content type ${contentType || 'none'}`,
  };
}
