import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { acceptsConnections } from '../../src/queues/data-dir-lock.js';
import { privateRedisSocket } from '../../src/queues/private-redis.js';
import { endAllProcesses, runCommand, startReadyProcess, temporaryFolder } from '../support/process.js';
import type { ServiceProcess } from '../support/process.js';
import { freePort } from '../support/redis.js';
import { until } from '../support/until.js';

const TOKEN = 'webhook-token-of-the-test';

describe('the private Redis', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let env: Record<string, string>;
  let url: string;
  let socketPath: string;

  beforeEach(async () => {
    folder = await temporaryFolder({
      'rules.yaml': 'rules: [{ id: note, on: "*", do: [log: { message: noted }] }]',
    });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    socketPath = privateRedisSocket(`${folder.path}/data`);
    env = {
      PORT: String(port),
      DATA_DIR: `${folder.path}/data`,
      RULES_PATH: `${folder.path}/rules.yaml`,
      SIMPLEMDM_API_KEY: 'api-key-of-the-test',
      // Nothing listens here, and no rule calls the API.
      SIMPLEMDM_BASE_URL: 'http://127.0.0.1:9/api/v1',
      WEBHOOK_TOKEN: TOKEN,
    };
  });

  afterEach(async () => {
    await endAllProcesses();
    if (await acceptsConnections(socketPath))
      await withRedis((redis) => redis.call('SHUTDOWN', 'NOSAVE')).catch(() => undefined);
    await until('the private Redis has ended', async () => !(await acceptsConnections(socketPath)));
    await folder.remove();
  });

  async function withRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({
      path: socketPath,
      lazyConnect: true,
      retryStrategy: () => null,
      disconnectTimeout: 50,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  const start = (): Promise<ServiceProcess> => startReadyProcess('serve', env);
  const post = async (serial: string): Promise<number> => {
    const response = await fetch(`${url}/webhooks/simplemdm/${TOKEN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        type: 'device.enrolled',
        at: '2026-01-01T00:00:00.000+00:00',
        data: { device: { id: 1, serial_number: serial } },
      }),
    });
    return response.status;
  };
  const listed = async (): Promise<string> => (await runCommand(['events'], env)).output;

  test('is configured to lose nothing, and only this user can reach it', async () => {
    await start();
    const config = async (name: string): Promise<unknown> => withRedis((redis) => redis.config('GET', name));
    expect(await config('appendonly')).toEqual(['appendonly', 'yes']);
    expect(await config('appendfsync')).toEqual(['appendfsync', 'everysec']);
    expect(await config('maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(await config('port')).toEqual(['port', '0']);
    expect(execFileSync('stat', ['-c', '%a', socketPath], { encoding: 'utf8' }).trim()).toBe('700');
  });

  test('keeps its data over a graceful restart, and stops with the service', async () => {
    const service = await start();
    expect(await post('SERIAL1')).toBe(202);
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(await acceptsConnections(socketPath)).toBe(false);
    await start();
    expect(await listed()).toContain('SERIAL1');
  });

  test('that a killed service left running is stopped, and its data is kept', async () => {
    const killed = await start();
    await post('SERIAL2');
    killed.kill('SIGKILL');
    await killed.ended;
    expect(await acceptsConnections(socketPath)).toBe(true);
    const service = await start();
    expect(service.output()).toContain('stopping the private Redis that an earlier process left running');
    expect(await listed()).toContain('SERIAL2');
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(await acceptsConnections(socketPath)).toBe(false);
  });

  test('keeps its data when the service and Redis are killed', async () => {
    const killed = await start();
    await post('SERIAL3');
    // Redis syncs its append-only file every second.
    await until('the event is synced', () =>
      withRedis(async (redis) => (await redis.info('persistence')).includes('aof_pending_bio_fsync:0')),
    );
    const info = await withRedis((redis) => redis.info('server'));
    process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL');
    killed.kill('SIGKILL');
    await killed.ended;
    await until('Redis has ended', async () => !(await acceptsConnections(socketPath)));
    await start();
    expect(await listed()).toContain('SERIAL3');
  });

  test('is restarted when it exits, and webhooks get 503 meanwhile', async () => {
    const service = await start();
    const info = await withRedis((redis) => redis.info('server'));
    process.kill(Number(/process_id:(\d+)/.exec(info)?.[1]), 'SIGKILL');
    const statuses = new Set<number>();
    await until('webhooks are accepted again', async () => {
      const status = await post(`SERIAL-${statuses.size}-${Date.now()}`);
      statuses.add(status);
      return status === 202 && statuses.has(503);
    });
    expect([...statuses].sort()).toEqual([202, 503]);
    expect(service.output()).toMatch(
      /"code":"redis\/private-exited".*"the private Redis exited; restarting it"/,
    );
  });

  test('belongs to one service only', async () => {
    await start();
    const second = await runCommand(['serve'], { ...env, PORT: String(await freePort()) });
    expect(second.code).toBe(78);
    expect(second.output).toContain(
      `mdm-reflex: DATA_DIR ${folder.path}/data: another mdm-reflex process uses it; stop that process, or set another DATA_DIR [redis/data-dir-in-use]`,
    );
    expect(await post('SERIAL4')).toBe(202);
  });
});
