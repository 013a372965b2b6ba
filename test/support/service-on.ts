import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { startService } from '../../src/main.js';
import type { Service } from '../../src/main.js';
import { collectLog } from './log-lines.js';
import { runCommand, temporaryFolder } from './process.js';
import { until } from './until.js';
import { ADMIN_TOKEN, API_KEY } from './world.js';

/** With eight shards on three masters, each of these accounts is in a shard of its own, and each master has one of them. A test checks it. */
export const ACCOUNTS = ['acme', 'initech', 'wonka', 'cyberdyne'] as const;

const tokenOf = (account: string): string => `webhook-token-of-${account}`;

/** A service with several accounts on a Redis of any kind, and a simulator that all of them share. */
export interface ServiceOn {
  readonly service: Service;
  readonly simulator: Simulator;
  readonly log: () => string;
  /** Posts a webhook of an account and gives the status of the answer. */
  readonly post: (account: string, webhook: object) => Promise<number>;
  /** Posts a webhook of an account and gives the answer. */
  readonly send: (account: string, webhook: object) => Promise<Response>;
  /** Runs a command with the settings of the service, and throws unless it succeeds. */
  readonly cli: (...args: string[]) => Promise<string>;
  /** Reads the JSON API. */
  readonly api: (path: string) => Promise<unknown>;
  readonly ready: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Starts both roles on a Redis. */
export async function startServiceOn(
  redisUrl: string,
  rules: string,
  more: Readonly<Record<string, string>> = {},
): Promise<ServiceOn> {
  const accounts = ACCOUNTS.map(
    (name) => `  ${name}: { api_key: ${API_KEY}, webhook_token: ${tokenOf(name)} }\n`,
  );
  const folder = await temporaryFolder({
    'rules.yaml': rules,
    'accounts.yml': `accounts:\n${accounts.join('')}`,
  });
  const simulator = await startSimulator({
    apiKey: API_KEY,
    delays: { groupChangeMs: 5, scriptJobMs: 5 },
  });
  const { logTo, log } = collectLog();
  const env = {
    PORT: '0',
    REDIS_URL: redisUrl,
    SIMPLEMDM_BASE_URL: simulator.url,
    ACCOUNTS_FILE: `${folder.path}/accounts.yml`,
    ADMIN_TOKEN,
    RULES_PATH: `${folder.path}/rules.yaml`,
    API_RATE: '1000',
    CHECK_REFERENCES: '0',
    RETRY_BASE_MS: '20',
    RETRY_MAX_MS: '500',
    JOB_LOCK_MS: '5000',
    ...more,
  };
  const service = await startService({ env, roles: ['receiver', 'worker'], logTo }).catch(
    async (error: unknown) => {
      await simulator.close();
      await folder.remove();
      throw error;
    },
  );
  const ready = async (): Promise<number> => (await fetch(`${service.url}/readyz`)).status;
  await until('the service is ready', async () => (await ready()) === 200);
  const send = async (account: string, webhook: object): Promise<Response> => {
    const response = await fetch(`${service.url}/webhooks/simplemdm/${account}/${tokenOf(account)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(webhook),
    });
    await response.arrayBuffer();
    return response;
  };
  return {
    service,
    simulator,
    log,
    ready,
    send,
    post: async (account, webhook) => (await send(account, webhook)).status,
    cli: async (...args) => {
      const { code, output } = await runCommand(args, env);
      if (code !== 0) throw new Error(`mdm-reflex ${args.join(' ')} ended with ${code}: ${output}`);
      return output;
    },
    api: async (path) => {
      const response = await fetch(`${service.url}${path}`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      if (!response.ok) throw new Error(`${path} was answered ${response.status}`);
      return response.json();
    },
    stop: async () => {
      await service.stop();
      await simulator.close();
      await folder.remove();
    },
  };
}
