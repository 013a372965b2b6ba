import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { readSettings } from '../../../src/config/settings.js';
import { interpolate, referencesIn } from './compose-interpolation.js';
import { REPOSITORY } from './helm-binary.js';
import { KNOWN_SETTINGS } from './known-settings.js';

const text = readFileSync(join(REPOSITORY, 'docker-compose.yml'), 'utf8');

const environment = z.record(z.string(), z.string());
const waitsFor = z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') }));
const bind = z.strictObject({
  type: z.literal('bind'),
  source: z.string(),
  target: z.string().startsWith('/'),
  read_only: z.literal(true),
  bind: z.strictObject({ create_host_path: z.literal(false) }),
});

// Strict, because Compose rejects misspelled keys too.
const service = z.strictObject({
  image: z.string(),
  build: z.literal('.').optional(),
  init: z.boolean().optional(),
  user: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  restart: z.enum(['unless-stopped', 'no']),
  stop_grace_period: z.literal('30s'),
  read_only: z.literal(true),
  tmpfs: z.array(z.string()),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()),
  environment: environment.default({}),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.literal(false) })).optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.union([z.string(), bind])).default([]),
  networks: z.array(z.string()),
  depends_on: waitsFor.default({}),
  healthcheck: z.strictObject({
    test: z.tuple([z.literal('CMD')], z.string()),
    interval: z.string(),
    timeout: z.string(),
    start_period: z.string(),
    retries: z.int(),
  }),
});

const composeFile = z
  .strictObject({
    name: z.literal('mdm-reflex'),
    services: z.record(z.string(), service),
    networks: z.record(z.string(), z.strictObject({ internal: z.boolean() })),
    volumes: z.record(z.string(), z.null()),
  })
  .readonly();

/** The file as Compose reads it, without the `x-` keys, which only hold anchors. */
function readCompose(source: string): z.output<typeof composeFile> {
  const document = z.record(z.string(), z.unknown()).parse(parse(source, { merge: true }));
  return composeFile.parse(
    Object.fromEntries(Object.entries(document).filter(([key]) => !key.startsWith('x-'))),
  );
}

const compose = readCompose(text);

function serviceNamed(name: string): z.output<typeof service> {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

const SECRETS = {
  WEBHOOK_TOKEN: 'webhook-token-of-the-test',
  ADMIN_TOKEN: 'admin-token-of-the-test',
  SIMPLEMDM_API_KEY: 'api-key-of-the-test',
};
const DEMO = { ...SECRETS, SIMPLEMDM_BASE_URL: 'http://simulator:9090/api/v1' };

/** The environment of a service with the variables of a `.env` file inserted. */
function environmentOf(name: string, env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(serviceNamed(name).environment).map(([key, value]) => [key, interpolate(value, env)]),
  );
}

describe('docker-compose.yml', () => {
  test('runs a receiver, a worker and Redis, and the simulator only in its profile', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['receiver', 'redis', 'simulator', 'worker']);
    for (const [name, { profiles, restart }] of Object.entries(compose.services)) {
      expect({ name, profiles, restart }).toEqual(
        name === 'simulator'
          ? { name, profiles: ['demo'], restart: 'no' }
          : { name, profiles: undefined, restart: 'unless-stopped' },
      );
    }
  });

  test('uses one locally built image for the service', () => {
    for (const name of ['receiver', 'worker', 'simulator']) {
      const { build, image } = serviceNamed(name);
      expect({ name, build, image }).toEqual({ name, build: '.', image: serviceNamed('receiver').image });
    }
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));
    expect(serviceNamed('receiver').image).toBe(`mdm-reflex:${version}`);
    expect(existsSync(join(REPOSITORY, 'Dockerfile'))).toBe(true);
    expect(serviceNamed('receiver').command).toEqual(['receiver']);
    expect(serviceNamed('worker').command).toEqual(['worker']);
  });

  test('refers only to networks, volumes and services that it declares', () => {
    for (const { networks, volumes, depends_on } of Object.values(compose.services)) {
      for (const network of networks)
        expect(['default', ...Object.keys(compose.networks)]).toContain(network);
      for (const volume of volumes) {
        if (typeof volume === 'string') expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
      }
      for (const other of Object.keys(depends_on)) expect(Object.keys(compose.services)).toContain(other);
    }
    expect(Object.keys(serviceNamed('receiver').depends_on)).toEqual(['redis']);
    expect(Object.keys(serviceNamed('worker').depends_on)).toEqual(['redis']);
  });

  test('loses no event: Redis appends, syncs each second and never evicts, on a named volume', () => {
    const redis = serviceNamed('redis');
    expect(redis.image).toMatch(/^(redis:7|valkey\/valkey:\d+)$/);
    expect(redis.command.join(' ')).toBe(
      'redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction',
    );
    expect(redis.volumes).toEqual(['redis-data:/data']);
  });

  test('connects Redis with the receiver and the worker only', () => {
    expect(serviceNamed('redis').networks).toEqual(['queue']);
    expect(compose.networks['queue']).toEqual({ internal: true });
    const neighbours = Object.entries(compose.services).filter(([, { networks }]) =>
      networks.includes('queue'),
    );
    expect(neighbours.map(([name]) => name).sort()).toEqual(['receiver', 'redis', 'worker']);
    expect(environmentOf('worker', SECRETS)['REDIS_URL']).toBe('redis://redis:6379');
  });

  test('publishes only the receiver, and only on this host', () => {
    const published = Object.entries(compose.services).filter(([, { ports }]) => ports.length > 0);
    expect(published.map(([name]) => name)).toEqual(['receiver']);
    expect(serviceNamed('receiver').ports.map((port) => interpolate(port, SECRETS))).toEqual([
      '127.0.0.1:8080:8080',
    ]);
  });

  test('mounts the rules read-only, and only in the worker', () => {
    const mounts = Object.entries(compose.services).flatMap(([name, { volumes }]) =>
      volumes.flatMap((volume) => (typeof volume === 'string' ? [] : [{ name, ...volume }])),
    );
    expect(mounts).toHaveLength(1);
    expect(mounts[0]).toMatchObject({ name: 'worker', source: './rules', target: '/rules', read_only: true });
    expect(environmentOf('worker', SECRETS)['RULES_PATH']).toBe('/rules');
  });

  test('has a working health check for every service', () => {
    for (const [name, { healthcheck }] of Object.entries(compose.services)) {
      const [, command, , script] = healthcheck.test;
      if (name === 'redis') {
        expect(healthcheck.test).toEqual(['CMD', 'redis-cli', '-e', 'ping']);
        continue;
      }
      expect(command).toBe('node');
      expect(() => new Script(script ?? '')).not.toThrow();
      expect(script).toContain(name === 'simulator' ? ':9090/' : ':8080/readyz');
    }
  });
});

describe('the environment in docker-compose.yml', () => {
  test('holds only settings that the service knows', () => {
    for (const { environment: names } of Object.values(compose.services)) {
      for (const name of Object.keys(names)) expect([...KNOWN_SETTINGS]).toContain(name);
    }
    const others = referencesIn(text).filter(({ name }) => !KNOWN_SETTINGS.has(name));
    expect(others.map(({ name }) => name)).toEqual(['PUBLISH']);
  });

  test.each(Object.keys(SECRETS))('reports a missing %s', (name) => {
    const env = Object.fromEntries(Object.entries(SECRETS).filter(([key]) => key !== name));
    expect(() => interpolate(text, env)).toThrow(
      `required variable ${name} is missing a value: set it in .env`,
    );
  });

  test('contains no secret', () => {
    for (const reference of referencesIn(text)) {
      if (reference.name in SECRETS) expect(reference.operator).not.toBe(':-');
    }
  });

  test('gives each role what it needs to start', () => {
    const receiver = readSettings(environmentOf('receiver', SECRETS), ['receiver']);
    expect(receiver).toMatchObject({ HOST: '0.0.0.0', PORT: 8080, NODE_ENV: 'production', TRUST_PROXY: '1' });
    const worker = readSettings(environmentOf('worker', SECRETS), ['worker']);
    expect(worker).toMatchObject({
      HOST: '0.0.0.0',
      SIMPLEMDM_BASE_URL: 'https://a.simplemdm.com/api/v1',
      RULES_PATH: '/rules',
    });
  });

  test('gives no role more than it needs', () => {
    expect(serviceNamed('receiver').environment).not.toHaveProperty('SIMPLEMDM_API_KEY');
    expect(serviceNamed('receiver')).not.toHaveProperty('env_file');
    expect(serviceNamed('worker').environment).not.toHaveProperty('WEBHOOK_TOKEN');
    expect(serviceNamed('worker').environment).not.toHaveProperty('ADMIN_TOKEN');
    // `.env` holds all secrets, so containers get single variables only.
    expect(serviceNamed('worker').env_file).toEqual([{ path: './channels.env', required: false }]);
  });
});

describe('the demo profile', () => {
  const script = interpolate(serviceNamed('simulator').command[0] ?? '', {});

  /** Runs the simulator's script with `node` replaced by an echo of its arguments. */
  function runScript(env: Record<string, string>) {
    return spawnSync('sh', ['-c', script.replace('exec node', 'exec echo')], { env, encoding: 'utf8' });
  }

  test('has the worker call the simulator, and the simulator post to the receiver', () => {
    expect(environmentOf('worker', DEMO)['SIMPLEMDM_BASE_URL']).toBe('http://simulator:9090/api/v1');
    const { status, stdout } = runScript(environmentOf('simulator', DEMO));
    expect(status).toBe(0);
    expect(stdout.trim().split(' ')).toEqual([
      'dist/simulator/main.js',
      ...['--port', '9090', '--host', '0.0.0.0', '--api-key', SECRETS.SIMPLEMDM_API_KEY],
      ...['--webhook', 'http://receiver:8080/webhooks/simplemdm', '--token', SECRETS.WEBHOOK_TOKEN],
    ]);
    const { networks, entrypoint, depends_on } = serviceNamed('simulator');
    expect({ networks, entrypoint, waits: Object.keys(depends_on) }).toEqual({
      networks: ['default'],
      entrypoint: ['sh', '-c'],
      waits: ['receiver'],
    });
    expect(serviceNamed('receiver').networks).toContain('default');
    expect(serviceNamed('worker').networks).toContain('default');
  });

  test.each([
    ['', 'no address'],
    ['https://a.simplemdm.com/api/v1', 'the real address'],
  ])('refuses to simulate events while the worker calls another SimpleMDM: "%s", %s', (address) => {
    const { status, stderr, stdout } = runScript(
      environmentOf('simulator', { ...SECRETS, SIMPLEMDM_BASE_URL: address }),
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('the demo needs SIMPLEMDM_BASE_URL=http://simulator:9090/api/v1');
  });
});
