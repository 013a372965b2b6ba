import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { startRedis } from '../own-redis.js';
import { ruleFile, startRole } from '../processes.js';
import { percentile } from '../statistics.js';

export const API_KEY = 'key-of-the-benchmark';
const command = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** The service in its own process, with a Redis of its own. */
export interface System {
  readonly url: string;
  readonly token: string;
  /** Starts a sweep of a rule now. */
  readonly tick: (rule: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How a {@link System} is set up. */
export interface SystemOptions {
  readonly rules: string;
  /** The base URLs of the accounts by name. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Calls per second and account. */
  readonly apiRate: number;
}

/** Starts the service. */
export async function startSystem({ rules, accounts, apiRate }: SystemOptions): Promise<System> {
  const redis = await startRedis();
  const ruleText = await ruleFile(rules);
  const token = randomBytes(24).toString('hex');
  const lines = Object.entries(accounts).map(
    ([name, url]) =>
      `  ${name}: { api_key: "\${env:KEY}", webhook_token: "\${env:TOKEN}", base_url: "${url}" }\n`,
  );
  const accountFile = await ruleFile(`accounts:\n${lines.join('')}`);
  const env = {
    REDIS_URL: redis.url,
    RULES_PATH: ruleText.path,
    ACCOUNTS_FILE: accountFile.path,
    KEY: API_KEY,
    TOKEN: token,
    ADMIN_TOKEN: token.toUpperCase(),
    API_RATE: String(apiRate),
    CHECK_REFERENCES: '0',
    LOG_LEVEL: 'fatal',
  };
  const service = await startRole('serve', env);
  const run = (args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [command, ...args], {
      env: { ...env, PATH: process.env['PATH'] ?? '' },
    });
  return {
    url: service.url,
    token,
    // Versions that do not ask do not know the option.
    tick: async (rule) => {
      await run(['schedules', 'run', rule, '--yes']).catch(() => run(['schedules', 'run', rule]));
    },
    stop: async () => {
      await service.kill();
      await redis.stop();
      await ruleText.remove();
      await accountFile.remove();
    },
  };
}

/** Starts a simulated account with some generated devices. */
export function startAccount(devices = 0): Promise<Simulator> {
  return startSimulator({ apiKey: API_KEY, ...(devices > 0 && { fleet: { devices, seed: 1 } }) });
}

/** Posts the webhook of a device that enrolled. Returns when it was accepted, in epoch milliseconds. */
export async function postEnrolled({ url, token }: System, account: string, device: number): Promise<number> {
  const response = await fetch(`${url}/webhooks/simplemdm/${account}/${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'device.enrolled',
      at: new Date().toISOString(),
      data: { device: { id: device, udid: `udid-${device}`, serial_number: `serial${device}` } },
    }),
  });
  if (response.status !== 202) throw new Error(`the webhook was answered ${response.status}`);
  return Date.now();
}

/** When the API received the first writing call for a device, in epoch milliseconds. */
export async function firstWriteFor(
  simulator: Simulator,
  device: number,
  timeoutMs: number,
): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = writes(simulator).find(({ path }) => path.startsWith(`/devices/${device}/`));
    if (found !== undefined) return Date.parse(found.at);
    await delay(20);
  }
  return NaN;
}

/** The calls that changed something. */
export function writes(simulator: Simulator): ReturnType<Simulator['calls']> {
  return simulator.calls().filter(({ method }) => method !== 'GET');
}

/** Waits for a condition. */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the benchmark waited too long');
    await delay(20);
  }
}

/** Milliseconds as a person reads them. */
export function ms(figure: number): string {
  if (Number.isNaN(figure)) return 'none in time';
  return figure < 10_000 ? `${figure.toFixed(0)} ms` : `${(figure / 1000).toFixed(1)} s`;
}

/** The median and the 95th percentile. A figure that never came counts as the largest. */
export function percentiles(figures: readonly number[]): [p50: number, p95: number] {
  const known = figures.map((figure) => (Number.isNaN(figure) ? Infinity : figure));
  return [percentile(known, 0.5), percentile(known, 0.95)];
}
