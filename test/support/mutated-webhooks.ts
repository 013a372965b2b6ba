import { HTML_PAGES, mutateJson, mutateJsonTimes, pick, seededRandom } from './mutate.js';
import type { Message, Random } from './mutate.js';

/** A webhook as SimpleMDM sends it. */
export interface WebhookBody {
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A webhook that software on the way has changed. */
export interface MutatedWebhook extends Message {
  /** What was done, with the seed: enough to repeat a failure. */
  readonly what: string;
}

const CONTENT_TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'text/html; charset=utf-8',
  'application/octet-stream',
  'application/json; charset=utf-16',
];

/** What a proxy makes of the bytes of a webhook, by name. */
const BODIES: Readonly<Record<string, (random: Random, body: string) => string>> = {
  'cut off': (random, body) => body.slice(0, Math.floor(random() * body.length)),
  'an HTML page': (random) => pick(random, HTML_PAGES),
  'wrapped in a list': (_, body) => `[${body}]`,
  'wrapped in an object': (_, body) => `{"webhook":${body}}`,
  'encoded twice': (_, body) => JSON.stringify(body),
  'a form': (_, body) => new URLSearchParams({ payload: body }).toString(),
  'a huge number': (_, body) => body.replace('"data":', '"n":12345678901234567890,"data":'),
  'a number that overflows': (_, body) => body.replace('"data":', '"n":1e400,"data":'),
  'a repeated name': (_, body) => body.replace('"data":', '"data":null,"data":'),
  'nested too deep': (_, body) =>
    body.replace('"data":', `"deep":${'['.repeat(90)}${']'.repeat(90)},"data":`),
  'more fields': (_, body) => body.replace('"data":', '"sender":"proxy","attempt":2,"data":'),
  'fields in another order': (_, body) =>
    JSON.stringify(Object.fromEntries(Object.entries(Object(JSON.parse(body))).reverse())),
};

/**
 * Changes a webhook: a value of its JSON (two times in three), or its bytes; sometimes its content type, too.
 *
 * @param seed - The same seed gives the same mutation.
 */
export function mutatedWebhook(webhook: WebhookBody, seed: number): MutatedWebhook {
  const random = seededRandom(seed);
  const contentType = random() < 0.2 ? pick(random, CONTENT_TYPES) : 'application/json';
  let body: string;
  let what: string;
  if (random() < 2 / 3) {
    const mutated = random() < 0.7 ? mutateJson(webhook, random) : mutateJsonTimes(webhook, random, 3);
    body = JSON.stringify(mutated.value);
    what = mutated.what;
  } else {
    what = pick(random, Object.keys(BODIES));
    body = BODIES[what]?.(random, JSON.stringify(webhook)) ?? '';
  }
  return { status: 0, contentType, body, what: `seed ${seed}: ${what} (${contentType})` };
}
