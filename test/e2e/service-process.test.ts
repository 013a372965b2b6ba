import { readFile } from 'node:fs/promises';
import { connect, createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import {
  CLI,
  endAllProcesses,
  runCommand,
  startProcess,
  startReadyProcess,
  temporaryFolder,
} from '../support/process.js';
import { freePort, startTestRedis } from '../support/redis.js';
import type { TestRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const API_KEY = 'api-key-of-the-test-0815';
const TOKEN = 'webhook-token-of-the-test';
const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.platform == "macOS"
    do: [assign_device_group: { group: Laptops }]
`;

describe('processes of the service', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let redis: TestRedis;
  let simulator: Simulator;
  let env: Record<string, string>;

  beforeAll(async () => {
    redis = await startTestRedis({ requirepass: 'redis-password-0815', databases: '40' });
  });
  afterAll(() => redis.stop());
  let database = 0;
  beforeEach(async () => {
    folder = await temporaryFolder({ 'rules.yaml': RULES });
    simulator = await startSimulator({ apiKey: API_KEY });
    // Each test has its own database number.
    database += 1;
    env = {
      HOST: '127.0.0.1',
      REDIS_URL: `${redis.url}/${database}`,
      RULES_PATH: `${folder.path}/rules.yaml`,
      SIMPLEMDM_API_KEY: API_KEY,
      SIMPLEMDM_BASE_URL: simulator.url,
      WEBHOOK_TOKEN: TOKEN,
    };
  });
  afterEach(async () => {
    await endAllProcesses();
    await simulator.close();
    await folder.remove();
  });

  const start = (role: string, more: Readonly<Record<string, string>> = {}) =>
    startReadyProcess(role, { ...env, ...more });
  const inGroupLaptops = (id: number): boolean =>
    simulator
      .calls()
      .some((call) => call.method === 'POST' && call.path === `/device_groups/41/devices/${id}`);

  test('the roles run separately; events wait while no worker runs', async () => {
    const receiver = await start('receiver', { SIMPLEMDM_API_KEY: '' });
    simulator.setWebhook({ url: `${receiver.url}/webhooks/simplemdm`, token: TOKEN });
    const first = simulator.enroll({ kind: 'macbook' });
    await simulator.webhooksSettled();
    expect(simulator.calls()).toEqual([]);
    const workers = [
      await start('worker', { WEBHOOK_TOKEN: '' }),
      await start('worker', { WEBHOOK_TOKEN: '' }),
    ];
    await until('the first device is in its group', () => inGroupLaptops(first.id));
    const others = Array.from({ length: 10 }, () => simulator.enroll({ kind: 'macbook' }));
    await until('all are in their group', () => others.every((device) => inGroupLaptops(device.id)));
    // A worker receives no webhooks.
    expect(
      (await fetch(`${workers[0]?.url ?? ''}/webhooks/simplemdm/${TOKEN}`, { method: 'POST' })).status,
    ).toBe(404);
    for (const running of [receiver, ...workers]) {
      running.kill('SIGTERM');
      expect(await running.ended).toBe(0);
    }
  });

  test('a stopping worker returns its jobs, and another worker finishes them', async () => {
    const receiver = await start('receiver');
    simulator.setWebhook({ url: `${receiver.url}/webhooks/simplemdm`, token: TOKEN });
    const stopping = await start('worker');
    simulator.addFault({ method: 'POST', path: '/device_groups/*', kind: 'hang', times: 1 });
    const device = simulator.enroll({ kind: 'macbook' });
    await until('the call hangs', () => inGroupLaptops(device.id));
    simulator.clearCalls();
    stopping.kill('SIGTERM');
    expect(await stopping.ended).toBe(0);
    expect(stopping.output()).toContain('their API calls are aborted and the jobs return to their queues');
    await start('worker');
    await until('the other worker finishes the job', () => inGroupLaptops(device.id));
  });

  test('the service stops gracefully while Redis is unreachable', async () => {
    const own = await startTestRedis();
    const service = await start('serve', { REDIS_URL: own.url });
    simulator.setWebhook({ url: `${service.url}/webhooks/simplemdm`, token: TOKEN });
    simulator.addFault({ method: 'POST', path: '/device_groups/*', kind: 'hang', times: 1 });
    const device = simulator.enroll({ kind: 'macbook' });
    await until('the call hangs', () => inGroupLaptops(device.id));
    await own.stop();
    await until('the service has noticed', () => service.output().includes('Redis is unreachable'));
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
    expect(service.output()).toContain('Redis is unreachable, so active jobs cannot be handed back');
  });

  test('a second signal ends the process immediately', async () => {
    const receiver = await start('receiver');
    simulator.setWebhook({ url: `${receiver.url}/webhooks/simplemdm`, token: TOKEN });
    const worker = await start('worker');
    simulator.addFault({ method: 'POST', path: '/device_groups/*', kind: 'hang' });
    const device = simulator.enroll({ kind: 'macbook' });
    await until('the call hangs', () => inGroupLaptops(device.id));
    worker.kill('SIGINT');
    worker.kill('SIGTERM');
    // The kernel decides which signal arrives last.
    expect([130, 143]).toContain(await worker.ended);
  });

  test('Redis over TLS with a password and a database number works, and an eviction policy is reported', async () => {
    const key = await readFile(resolve('test/support/tls/key.pem'));
    const cert = await readFile(resolve('test/support/tls/cert.pem'));
    const sockets = new Set<{ destroy: () => void }>();
    const tls = createTlsServer({ key, cert }, (socket) => {
      const upstream = connect(redis.port, '127.0.0.1');
      for (const end of [socket, upstream]) {
        sockets.add(end);
        end.on('error', () => undefined);
      }
      socket.pipe(upstream).pipe(socket);
    });
    const port = await freePort();
    await new Promise<void>((done) => tls.listen(port, '127.0.0.1', done));
    try {
      const service = await start('serve', {
        REDIS_URL: `rediss://default:redis-password-0815@127.0.0.1:${port}/7`,
        NODE_EXTRA_CA_CERTS: resolve('test/support/tls/cert.pem'),
      });
      simulator.setWebhook({ url: `${service.url}/webhooks/simplemdm`, token: TOKEN });
      const device = simulator.enroll({ kind: 'macbook' });
      await until('the device is in its group', () => inGroupLaptops(device.id));
      expect(service.output()).not.toContain('redis-password-0815');
      expect(service.output()).not.toContain('maxmemory-policy');
      service.kill('SIGTERM');
      expect(await service.ended).toBe(0);
    } finally {
      for (const socket of sockets) socket.destroy();
      tls.close();
    }
    const evicting = await startTestRedis({ 'maxmemory-policy': 'allkeys-lru' });
    try {
      const service = await start('serve', { REDIS_URL: evicting.url });
      await until('the warning', () =>
        service.output().includes('maxmemory-policy is \\"allkeys-lru\\"; set it to \\"noeviction\\"'),
      );
      expect(service.output()).toContain('"code":"redis/eviction-policy"');
      service.kill('SIGTERM');
      await service.ended;
    } finally {
      await evicting.stop();
    }
  });

  test('SIGHUP reads the rules again', async () => {
    const service = await start('serve', { REDIS_URL: redis.url });
    expect(service.output()).not.toContain('rules are in force');
    service.kill('SIGHUP');
    await until('the rules are read again', () => service.output().includes('the changed rules are live'));
    service.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  });

  describe('refuses to start and says what to do', () => {
    const refused = async (role: string, more: Readonly<Record<string, string>>): Promise<string> => {
      const { code, output } = await runCommand([role], { ...env, PORT: '0', ...more });
      expect(code).toBe(78);
      expect(output).not.toMatch(/\n\s+at /);
      return output;
    };

    test('with invalid settings, all reported together, without secrets', async () => {
      const output = await refused('serve', { PORT: '80a', LOG_LEVEL: 'loud', WEBHOOK_TOKEN: 'hunter2' });
      expect(output.trim().split('\n').sort()).toEqual([
        'mdm-reflex: LOG_LEVEL: found "loud", expected one of trace, debug, info, warn, error, fatal, silent [settings/invalid]',
        'mdm-reflex: PORT: found "80a", expected a whole number from 0 to 65535 [settings/invalid]',
        expect.stringMatching(
          /^mdm-reflex: WEBHOOK_TOKEN: found a value of 7 characters, expected one or more comma-separated tokens.*\[settings\/invalid\]$/,
        ),
      ]);
    });

    test('with a typo in a rule', async () => {
      const typo = await temporaryFolder({
        'onboard.yaml': RULES.replace('device.platform', 'device.platfrom'),
      });
      const output = await refused('serve', { RULES_PATH: typo.path });
      expect(output).toContain(
        'onboard.yaml:5:16: unknown field "platfrom"; did you mean "platform"? [rule/unknown-field]\n        if: device.platfrom == "macOS"\n                   ^',
      );
      await typo.remove();
    });

    test('in production without tokens', async () => {
      const output = await refused('serve', { NODE_ENV: 'production', WEBHOOK_TOKEN: '' });
      expect(output).toContain('WEBHOOK_TOKEN: not set; required with NODE_ENV=production');
      expect(output).toContain('ADMIN_TOKEN: not set; required with NODE_ENV=production');
    });

    test('without an API key, guessing the misspelled name', async () => {
      const output = await refused('serve', { SIMPLEMDM_API_KEY: '', SIMPLEMDM_APIKEY: 'x' });
      expect(output).toContain(
        'SIMPLEMDM_API_KEY: not set; expected the API key from SimpleMDM (Settings, API); is it misspelled as "SIMPLEMDM_APIKEY"? [settings/missing]',
      );
    });

    test.each([
      ['/proc/nope', 'the parent folder does not exist'],
      [`${import.meta.filename}/data`, 'a part of the path is a file, not a folder'],
    ])('when it cannot create the DATA_DIR %s', async (dataDir, reason) => {
      expect(await refused('serve', { REDIS_URL: '', DATA_DIR: dataDir })).toContain(
        `mdm-reflex: DATA_DIR ${dataDir}: ${reason}; set DATA_DIR to a folder that this user can write to [redis/data-dir]`,
      );
    });

    test('when READ_ONLY is misspelled, because the service would change devices', async () => {
      expect(await refused('serve', { READ_OLNY: '1' })).toBe(
        'mdm-reflex: READ_OLNY: unknown setting; did you mean READ_ONLY? [settings/unknown]\n',
      );
    });

    test('when a separate role has no shared Redis', async () => {
      expect(await refused('worker', { REDIS_URL: '' })).toContain(
        'REDIS_URL: not set; a separate worker shares its queues through Redis',
      );
    });

    test('when the port is in use', async () => {
      const server = createTcpServer();
      const port = await freePort();
      await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
      const output = await refused('serve', { PORT: String(port) });
      expect(output).toBe(
        `mdm-reflex: HOST 127.0.0.1, PORT ${port}: another program uses this port; stop it, or choose another PORT [settings/cannot-listen]\n`,
      );
      server.close();
    });
  });

  test('without Redis it starts, answers webhooks with 503, and works once Redis is reachable', async () => {
    const port = await freePort();
    const later = await freePort();
    const service = startProcess(['serve'], {
      ...env,
      PORT: String(port),
      REDIS_URL: `redis://127.0.0.1:${later}`,
    });
    const url = `http://127.0.0.1:${port}`;
    const post = async (): Promise<number> => {
      const response = await fetch(`${url}/webhooks/simplemdm/${TOKEN}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"type":"test_event","at":"2026-01-01T00:00:00Z","data":{}}',
      });
      return response.status;
    };
    await until('the service listens', () =>
      fetch(`${url}/healthz`).then(
        (response) => response.ok,
        () => false,
      ),
    );
    expect(await post()).toBe(503);
    const readyz = await fetch(`${url}/readyz`);
    expect([readyz.status, await readyz.json()]).toEqual([
      503,
      expect.objectContaining({ redis: expect.stringMatching(/unreachable|starting/) }),
    ]);
    const found = await startTestRedis({ port: String(later) });
    try {
      await until('webhooks are accepted', async () => (await post()) === 202);
    } finally {
      service.kill('SIGTERM');
      expect(await service.ended).toBe(0);
      await found.stop();
    }
  });

  test('the command line lists events, shows an event, and reports a missing service', async () => {
    const service = await start('serve');
    simulator.setWebhook({ url: `${service.url}/webhooks/simplemdm`, token: TOKEN });
    const device = simulator.enroll({ kind: 'macbook' });
    await until('the device is in its group', () => inGroupLaptops(device.id));
    const list = await until('the event is listed as completed', async () => {
      const { output } = await runCommand(
        ['events', '--type', 'device.enrolled', '--device', device.serialNumber],
        env,
      );
      return output.includes('completed') ? output : undefined;
    });
    const id = /^([0-9a-f]{12})/m.exec(list)?.[1] ?? '';
    const shown = await runCommand(['events', 'show', id], env);
    expect(shown.output).toContain('✔ matched  laptops  device.platform == "macOS" is true');
    expect(shown.output).toMatch(
      /1 {2}✔ completed {2}assign_device_group {2}group_id 41, group_name "Laptops" {2}POST \/device_groups\/41\/devices\/\d+ → 202/,
    );
    expect(JSON.parse((await runCommand(['events', 'show', id, '--json'], env)).output)).toMatchObject({
      status: 'completed',
    });
    expect(await runCommand(['events', 'show', 'feedfacefeed'], env)).toMatchObject({
      code: 78,
      output: expect.stringContaining('there is no event "feedfacefeed"'),
    });
    expect(await runCommand(['events', '--status', 'lost'], env)).toMatchObject({
      code: 78,
      output: expect.stringMatching(/--status: expected one of queued, processing, waiting/),
    });
    expect((await runCommand(['events', '--since', '1h'], env)).output).toContain(id);
    expect((await runCommand(['events', '--since', 'yesterday'], env)).output).toContain(
      '--since: expected an age such as 2d or 1h, or an ISO 8601 time',
    );
    const nowhere = await runCommand(['events'], { DATA_DIR: `${folder.path}/none` });
    expect(nowhere).toMatchObject({
      code: 78,
      output: expect.stringContaining('no service runs with DATA_DIR'),
    });
  });

  test('a line of a .env file that assigns nothing is reported, without its content', async () => {
    const withEnv = await temporaryFolder({ '.env': 'PORT=8080\nSIMPLEMDM_API_KEY: secret-key\n' });
    const { code, output } = await runCommand(['validate'], {}, withEnv.path);
    expect([code, output]).toEqual([
      78,
      'mdm-reflex: .env:2: not an assignment; expected SIMPLEMDM_API_KEY=…, or # before a comment [settings/env-file]\n',
    ]);
    await withEnv.remove();
  });

  test('the .env file is read from the working directory', async () => {
    const withEnv = await temporaryFolder({ '.env': 'PORT=not-a-port\n' });
    const { code, output } = await runCommand(['serve'], {}, withEnv.path);
    expect([code, output]).toEqual([78, expect.stringContaining('PORT: found "not-a-port"')]);
    await withEnv.remove();
    expect(CLI.endsWith('dist/src/cli/main.js')).toBe(true);
  });
});
