import { expect } from '@jest/globals';
import { OperatorError } from '../../src/config/operator-error.js';
import { startService } from '../../src/main.js';
import type { Service } from '../../src/main.js';
import { collectLog } from './log-lines.js';
import { temporaryFolder } from './process.js';

const TOKEN = 'webhook-token-of-the-test';

/** A service on a Redis that may not be usable yet. */
export interface StartedOn {
  readonly service: Service;
  readonly log: () => string;
  /** Posts a webhook that was not there before, and gives the status of the answer. */
  readonly post: () => Promise<number>;
  /** What `/readyz` answers, and its word about Redis. */
  readonly ready: () => Promise<{ readonly status: number; readonly redis: unknown }>;
  readonly stop: () => Promise<void>;
}

let next = 0;

/** Starts both roles with one rule, which logs each enrollment. The log is what they wrote. */
export async function startOn(redisUrl: string): Promise<StartedOn> {
  const rules = await temporaryFolder({
    'rules.yaml': 'rules:\n  - { id: log, on: device.enrolled, do: [log: { message: enrolled }] }\n',
  });
  const { logTo, log } = collectLog();
  const service = await startService({
    env: {
      PORT: '0',
      REDIS_URL: redisUrl,
      SIMPLEMDM_API_KEY: 'api-key-of-the-test',
      SIMPLEMDM_BASE_URL: 'http://127.0.0.1:1/api/v1',
      WEBHOOK_TOKEN: TOKEN,
      RULES_PATH: rules.path,
      CHECK_REFERENCES: '0',
    },
    roles: ['receiver', 'worker'],
    logTo,
  }).catch(async (error: unknown) => {
    await rules.remove();
    throw error;
  });
  return {
    service,
    log,
    post: async () => {
      const response = await fetch(`${service.url}/webhooks/simplemdm/${TOKEN}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          type: 'device.enrolled',
          at: new Date().toISOString(),
          data: { device: { id: (next += 1) } },
        }),
      });
      return response.status;
    },
    ready: async () => {
      const response = await fetch(`${service.url}/readyz`);
      const body: unknown = await response.json();
      return {
        status: response.status,
        redis: typeof body === 'object' && body !== null && 'redis' in body ? body.redis : undefined,
      };
    },
    stop: async () => {
      await service.stop();
      await rules.remove();
    },
  };
}

/** Why a service does not start on a Redis. */
export async function refusalOn(redisUrl: string): Promise<string> {
  const error = await startOn(redisUrl).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  return String(error);
}
