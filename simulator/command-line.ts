import { parseArgs } from 'node:util';
import { rateHeaderKinds } from './api/rate-limit.js';
import { editions, type SimulatorOptions } from './simulator.js';

export const usage = `Usage: npm run simulator -- --port <port> --api-key <key> [options]

  --port <port>         port to listen on; 0 (default) is any free port
  --host <host>         address to listen on (default: 127.0.0.1)
  --api-key <key>       API key that clients must send
  --read-only-key <key> second API key, without write access
  --devices <n>         number of generated devices, 1 to 100000, in addition to those of the API reference
  --seed <n>            seed of the generated devices and of random decisions (default: 1)
  --webhook <url>       URL to post webhooks to
  --token <token>       value of the X-Webhook-Token header of every webhook
  --rate <n>            respond with 429 to more than n calls per second
  --burst <n>           number of calls in a burst (default: the value of --rate)
  --rate-headers <kind> header of a 429: retry-after (default), x-ratelimit-reset, none
  --inventory-delay <s> seconds from an enrollment until the device has reported its inventory (default: 3;
                        0: at once)
  --conflicts           respond with 409 to an assignment that changes nothing
  --edition <edition>   what records have: current (default), or what the API reference shows (reference)
  --help                show this help
`;

export type CommandLine =
  { kind: 'start'; options: SimulatorOptions } | { kind: 'help' } | { kind: 'invalid'; problem: string };

/** Parses the arguments of the command. A problem is one line of text. */
export function readCommandLine(args: readonly string[]): CommandLine {
  try {
    return readValues(args);
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}

function readValues(args: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      'api-key': { type: 'string' },
      'read-only-key': { type: 'string' },
      webhook: { type: 'string' },
      token: { type: 'string' },
      rate: { type: 'string' },
      burst: { type: 'string' },
      'rate-headers': { type: 'string', default: 'retry-after' },
      devices: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'inventory-delay': { type: 'string', default: '3' },
      conflicts: { type: 'boolean', default: false },
      edition: { type: 'string', default: 'current' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };

  const apiKey = values['api-key'] ?? '';
  const port = /^\d+$/.test(values.port) ? Number(values.port) : Infinity;
  const rate = Number(values.rate ?? 1);
  if (apiKey === '') return invalid('--api-key is missing');
  if (apiKey.includes(':'))
    return invalid(
      '--api-key must not contain a colon: clients send it as the user name of Basic credentials',
    );
  if (port > 65_535) return invalid(`--port must be a number from 0 to 65535, not "${values.port}"`);
  if (!(rate > 0) || rate === Infinity)
    return invalid(`--rate must be a number greater than 0, not "${values.rate ?? ''}"`);
  if (values.webhook !== undefined && !isHttpUrl(values.webhook)) {
    return invalid(`--webhook must be an http or https URL, not "${values.webhook}"`);
  }
  if (values.token !== undefined && values.webhook === undefined) return invalid('--token needs --webhook');
  const burst = wholeNumber(values.burst ?? String(Math.max(1, Math.ceil(rate))));
  if (burst === undefined || burst < 1)
    return invalid(`--burst must be a whole number greater than 0, not "${values.burst ?? ''}"`);
  if (values.burst !== undefined && values.rate === undefined) return invalid('--burst needs --rate');
  const headers = rateHeaderKinds.find((kind) => kind === values['rate-headers']);
  if (headers === undefined)
    return invalid(
      `--rate-headers must be one of ${rateHeaderKinds.join(', ')}, not "${values['rate-headers']}"`,
    );
  const devices = wholeNumber(values.devices ?? '1');
  if (devices === undefined || devices < 1 || devices > 100_000)
    return invalid(`--devices must be a whole number from 1 to 100000, not "${values.devices ?? ''}"`);
  const seed = wholeNumber(values.seed);
  if (seed === undefined) return invalid(`--seed must be a whole number, not "${values.seed}"`);

  const inventoryDelay = values['inventory-delay'];
  if (!/^\d{1,5}(\.\d{1,3})?$/.test(inventoryDelay))
    return invalid(
      `--inventory-delay must be a number of seconds, such as 3 or 0.5, not "${inventoryDelay}"`,
    );
  const edition = editions.find((known) => known === values.edition);
  if (edition === undefined)
    return invalid(`--edition must be one of ${editions.join(', ')}, not "${values.edition}"`);

  const { token, webhook: url } = values;
  const readOnlyApiKey = values['read-only-key'];
  return {
    kind: 'start',
    options: {
      port,
      host: values.host,
      apiKey,
      ...(readOnlyApiKey !== undefined && { readOnlyApiKey }),
      ...(url !== undefined && { webhook: { url, ...(token !== undefined && { token }) } }),
      seed,
      conflicts: values.conflicts,
      delays: { inventoryMs: Number(inventoryDelay) * 1000 },
      edition,
      ...(values.devices !== undefined && { fleet: { devices, seed } }),
      ...(values.rate !== undefined && { rateLimit: { perSecond: rate, burst, headers } }),
    },
  };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function invalid(problem: string): CommandLine {
  return { kind: 'invalid', problem };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
