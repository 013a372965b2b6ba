import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { transformFile } from '@swc/core';
import { readCommandLine } from '../../../simulator/command-line.js';

describe('arguments', () => {
  test.each([
    [[], '--api-key is missing'],
    [['--api-key', 'a:b'], 'colon'],
    [['--api-key', 'K', '--port', 'eighty'], '"eighty"'],
    [['--api-key', 'K', '--port', '70000'], '"70000"'],
    [['--api-key', 'K', '--rate', '0'], '--rate'],
    [['--api-key', 'K', '--webhook', 'ftp://x'], '--webhook'],
    [['--api-key', 'K', '--token', 'T'], '--token needs --webhook'],
    [['--api-key', 'K', '--burst', '5'], '--burst needs --rate'],
    [['--api-key', 'K', '--rate', '5', '--burst', '0'], '--burst'],
    [['--api-key', 'K', '--rate', '5', '--rate-headers', 'both'], '"both"'],
    [['--api-key', 'K', '--devices', '100001'], '"100001"'],
    [['--api-key', 'K', '--devices', '0'], '--devices'],
    [['--api-key', 'K', '--seed', 'x'], '--seed'],
    [['--api-key', 'K', '--inventory-delay', '2m'], '"2m"'],
    [['--api-key', 'K', '--edition', '1.51'], '"1.51"'],
    [['--api-key', 'K', '--verbose'], '--verbose'],
  ])('%j is refused', (args, named) => {
    expect(readCommandLine(args)).toEqual({ kind: 'invalid', problem: expect.stringContaining(named) });
  });

  test('all options together', () => {
    const args =
      '--port 8081 --api-key K --read-only-key R --webhook http://localhost/x --token T --rate 2.5 --burst 9 --rate-headers none --devices 5000 --seed 7 --inventory-delay 0.5 --conflicts --edition reference';
    expect(readCommandLine(args.split(' '))).toEqual({
      kind: 'start',
      options: {
        port: 8081,
        host: '127.0.0.1',
        apiKey: 'K',
        readOnlyApiKey: 'R',
        webhook: { url: 'http://localhost/x', token: 'T' },
        rateLimit: { perSecond: 2.5, burst: 9, headers: 'none' },
        fleet: { devices: 5000, seed: 7 },
        seed: 7,
        conflicts: true,
        delays: { inventoryMs: 500 },
        edition: 'reference',
      },
    });
    expect(readCommandLine(['--help'])).toEqual({ kind: 'help' });
  });
});

describe('the process', () => {
  let built = '';

  // The output of `npm run build`, without the type check.
  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'simulator-'));
    await symlink(join(process.cwd(), 'node_modules'), join(built, 'node_modules'));
    await writeFile(join(built, 'package.json'), '{"type":"module"}');
    const files = await readdir('simulator', { recursive: true });
    await Promise.all(
      files
        .filter((file) => file.endsWith('.ts'))
        .map(async (file) => {
          const { code } = await transformFile(join('simulator', file), {
            jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
            module: { type: 'es6' },
          });
          const target = join(built, 'simulator', file.replace(/\.ts$/, '.js'));
          await mkdir(dirname(target), { recursive: true });
          await writeFile(target, code);
        }),
    );
  });

  afterAll(() => rm(built, { recursive: true }));

  /** Starts the command and collects its output. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, [join(built, 'simulator/main.js'), ...args]);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk) => (output.out += String(chunk)));
    child.stderr.on('data', (chunk) => (output.err += String(chunk)));
    return { child, output, exited: once(child, 'close') };
  }

  test('invalid arguments: one line and exit code 2', async () => {
    const { output, exited } = start('--port', '8081');
    expect(await exited).toEqual([2, null]);
    expect(output.err).toMatch(/^simulator: --api-key is missing\n/);
    expect(output.out).toBe('');
  });

  test('help: exit code 0', async () => {
    const { output, exited } = start('--help');
    expect(await exited).toEqual([0, null]);
    expect(output.out).toContain('Usage: npm run simulator');
  });

  test('a port in use: one line and exit code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { output, exited } = start('--api-key', 'K', '--port', String(port));
    expect(await exited).toEqual([1, null]);
    expect(output.err).toContain('cannot listen');
    server.close();
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'prints one line with its URL; %s ends it with exit code 0',
    async (signal) => {
      const { child, output, exited } = start('--api-key', 'K');
      await once(child.stdout, 'data');
      const [, url = ''] = /at (http:\S+\/api\/v1) /.exec(output.out) ?? [];
      expect(output.out.trim().split('\n')).toHaveLength(1);
      expect((await fetch(`${url}/account`)).status).toBe(401);
      child.kill(signal);
      expect(await exited).toEqual([0, null]);
    },
  );
});
