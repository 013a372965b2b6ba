import { parseArgs } from 'node:util';
import { rateHeaderKinds } from './api/rate-limit.js';
import type { SimulatorOptions } from './simulator.js';

export const usage = `Usage: npm run simulator -- --port <port> --api-key <key> [options]

  --port <port>         where to listen; 0 (the default) is any free port
  --host <host>         127.0.0.1 by default
  --api-key <key>       the API key that clients must send
  --read-only-key <key> a second key that may not write
  --devices <n>         1 to 100000 generated devices in addition to those of the API reference
  --seed <n>            which devices these are, and what chance decides; 1 by default
  --webhook <url>       where to post webhooks
  --token <token>       sent with every webhook as X-Webhook-Token
  --rate <n>            answer 429 beyond n calls a second
  --burst <n>           how many calls may come at once; as many as --rate by default
  --rate-headers <kind> how a 429 says when to come back: retry-after (the default), x-ratelimit-reset, none
  --conflicts           answer 409 for assigning what is assigned already
  --help                this text
`;

export type CommandLine =
  { kind: 'start'; options: SimulatorOptions } | { kind: 'help' } | { kind: 'wrong'; problem: string };

/** Reads the arguments of the command. What is wrong with them comes back as one clear line. */
export function readCommandLine(args: readonly string[]): CommandLine {
  try {
    return readValues(args);
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
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
      conflicts: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };

  const apiKey = values['api-key'] ?? '';
  const port = /^\d+$/.test(values.port) ? Number(values.port) : Infinity;
  const rate = Number(values.rate ?? 1);
  if (apiKey === '') return wrong('--api-key is missing');
  if (apiKey.includes(':'))
    return wrong('--api-key must not contain a colon: it is sent as a Basic user name');
  if (port > 65_535) return wrong(`--port must be a number from 0 to 65535, not "${values.port}"`);
  if (!(rate > 0) || rate === Infinity)
    return wrong(`--rate must be a number above 0, not "${values.rate ?? ''}"`);
  if (values.webhook !== undefined && !isHttpUrl(values.webhook)) {
    return wrong(`--webhook must be an http or https address, not "${values.webhook}"`);
  }
  if (values.token !== undefined && values.webhook === undefined) return wrong('--token needs --webhook');
  const burst = wholeNumber(values.burst ?? String(Math.max(1, Math.ceil(rate))));
  if (burst === undefined || burst < 1)
    return wrong(`--burst must be a whole number above 0, not "${values.burst ?? ''}"`);
  if (values.burst !== undefined && values.rate === undefined) return wrong('--burst needs --rate');
  const headers = rateHeaderKinds.find((kind) => kind === values['rate-headers']);
  if (headers === undefined)
    return wrong(
      `--rate-headers must be one of ${rateHeaderKinds.join(', ')}, not "${values['rate-headers']}"`,
    );
  const devices = wholeNumber(values.devices ?? '1');
  if (devices === undefined || devices < 1 || devices > 100_000)
    return wrong(`--devices must be a whole number from 1 to 100000, not "${values.devices ?? ''}"`);
  const seed = wholeNumber(values.seed);
  if (seed === undefined) return wrong(`--seed must be a whole number, not "${values.seed}"`);

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
      ...(values.devices !== undefined && { fleet: { devices, seed } }),
      ...(values.rate !== undefined && { rateLimit: { perSecond: rate, burst, headers } }),
    },
  };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function wrong(problem: string): CommandLine {
  return { kind: 'wrong', problem };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}
