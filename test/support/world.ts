import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator, SimulatorOptions } from '../../simulator/start.js';
import { openEnvFile } from '../../src/config/env-file.js';
import type { Role } from '../../src/config/settings.js';
import { findEvents, findTrace } from '../../src/journal/find-events.js';
import type { Trace } from '../../src/journal/trace.js';
import { startService } from '../../src/main.js';
import type { Service } from '../../src/main.js';
import { collectLog } from './log-lines.js';
import { startTestRedis } from './redis.js';
import type { TestRedis } from './redis.js';
import { until } from './until.js';
import { openShards } from '../../src/queues/shards.js';

/** Long enough to be real, and easy to find where they should not be. */
export const API_KEY = 'api-key-of-the-test-4711';
export const WEBHOOK_TOKEN = 'webhook-token-of-the-test-4711';
export const ADMIN_TOKEN = 'admin-token-of-the-test-4711';

/** How a world is set up. */
export interface WorldOptions {
  /** The text of the rule file. */
  readonly rules: string;
  readonly simulator?: Partial<SimulatorOptions>;
  /** More environment for the service. */
  readonly env?: Readonly<Record<string, string>>;
  readonly roles?: readonly Role[];
  /** The text of a file `.env` beside the rule file. */
  readonly envFile?: string;
}

/** A service, a simulator and a Redis that talk to each other over real sockets. */
export interface World {
  readonly service: Service;
  readonly simulator: Simulator;
  readonly redis: TestRedis;
  /** A connection of the test's own. */
  readonly client: Redis;
  readonly env: NodeJS.ProcessEnv;
  /** Every log line so far. */
  readonly log: () => string;
  /** The calls that the service made, without the greeting at its start. */
  readonly calls: () => string[];
  /** Posts a webhook as SimpleMDM does. Throws unless the service answers 202. */
  readonly post: (webhook: Webhook) => Promise<void>;
  /** The value of a metric without labels, or of one series with its labels; NaN when there is none. */
  readonly metric: (series: string) => Promise<number>;
  /** Waits until the newest event of a type has come to rest and gives its trace. */
  readonly settled: (type: string, statuses?: readonly Trace['status'][]) => Promise<Trace>;
  /** Stops the service and starts another one on the same Redis. */
  readonly restartService: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** Runs when the world stops, before the service does: closes what a test opened. */
  readonly beforeStop: (close: () => Promise<unknown>) => void;
  readonly stop: () => Promise<void>;
}

/** A webhook; `at` is now unless it is given. */
export interface Webhook {
  readonly type: string;
  readonly at?: string;
  readonly data?: unknown;
}

const AT_REST: readonly Trace['status'][] = ['completed', 'failed', 'no_match'];

/** Starts a world. The simulator posts its webhooks to the service. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'mdm-reflex-test-'));
  const rulesPath = join(dir, 'rules.yaml');
  await writeFile(rulesPath, options.rules);
  const envPath = join(dir, '.env');
  if (options.envFile !== undefined) await writeFile(envPath, options.envFile);
  const redis = await startTestRedis();
  const simulator = await startSimulator({
    apiKey: API_KEY,
    delays: { groupChangeMs: 5, scriptJobMs: 5 },
    ...options.simulator,
  });
  const { logTo, log } = collectLog();
  const env: NodeJS.ProcessEnv = {
    PORT: '0',
    REDIS_URL: redis.url,
    SIMPLEMDM_API_KEY: API_KEY,
    SIMPLEMDM_BASE_URL: simulator.url,
    WEBHOOK_TOKEN,
    ADMIN_TOKEN,
    RULES_PATH: rulesPath,
    LOG_LEVEL: 'debug',
    API_RATE: '1000',
    // It makes calls that the tests of calls would have to count.
    CHECK_REFERENCES: '0',
    RETRY_BASE_MS: '20',
    RETRY_MAX_MS: '200',
    ...options.env,
  };
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<Service> => {
    const serviceEnv = { ...env, ...more };
    const started = await startService({
      env: serviceEnv,
      ...(options.envFile !== undefined && { envFile: openEnvFile(envPath, serviceEnv) }),
      roles: options.roles ?? ['receiver', 'worker'],
      logTo,
    });
    simulator.setWebhook({ url: `${started.url}/webhooks/simplemdm`, token: WEBHOOK_TOKEN });
    await until('the service is ready', async () => (await fetch(`${started.url}/readyz`)).status === 200);
    return started;
  };
  const stopAround = async (): Promise<void> => {
    await simulator.close();
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  };
  let service = await start().catch(async (error: unknown) => {
    await stopAround();
    throw error;
  });
  const toClose: (() => Promise<unknown>)[] = [];
  const client = new Redis(redis.url);
  client.on('error', () => undefined);
  return {
    get service() {
      return service;
    },
    simulator,
    redis,
    client,
    env,
    log,
    calls: () =>
      simulator
        .calls()
        .filter((call) => call.path !== '/account')
        .map((call) => `${call.method} ${call.path}`),
    post: async (webhook) => {
      const response = await fetch(`${service.url}/webhooks/simplemdm`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Webhook-Token': WEBHOOK_TOKEN },
        body: JSON.stringify({ at: new Date().toISOString(), ...webhook }),
      });
      if (response.status !== 202)
        throw new Error(`the webhook was answered ${response.status}: ${await response.text()}`);
    },
    metric: async (series) => {
      const lines = (await (await fetch(`${service.url}/metrics`)).text()).split('\n');
      return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? NaN);
    },
    settled: (type, statuses = AT_REST) =>
      until(`an event ${type} is ${statuses.join(' or ')}`, async () => {
        const { events } = await findEvents(openShards(client), { type, limit: 1 });
        const [newest] = events;
        return newest !== undefined && statuses.includes(newest.status)
          ? findTrace(openShards(client), newest.id)
          : undefined;
      }),
    restartService: async (more) => {
      await service.stop();
      service = await start(more);
    },
    beforeStop: (close) => void toClose.push(close),
    stop: async () => {
      await Promise.all(toClose.map((close) => close()));
      await service.stop();
      client.disconnect();
      await stopAround();
    },
  };
}
