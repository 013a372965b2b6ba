import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { readStages } from './dockerfile.js';
import type { Stage } from './dockerfile.js';
import { REPOSITORY } from './helm-binary.js';

const stages = readStages(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8'));
const ignored = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const words = z.array(z.string());

function stageNamed(name: string | undefined): Stage {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined) throw new Error(`no stage ${name ?? 'without a name'}`);
  return stage;
}

function all(stage: Stage, name: string): string[] {
  return stage.instructions
    .filter((instruction) => instruction.name === name)
    .map((instruction) => instruction.rest);
}

/** The sources of the COPY instructions that come from the repository. */
function sources(stage: Stage): string[] {
  return all(stage, 'COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(/\s+/).slice(0, -1));
}

const final = stageNamed(undefined);

describe('the Dockerfile', () => {
  test('separates build and runtime: three stages on one slim Node image', () => {
    expect(stages.map((stage) => stage.name)).toEqual(['dependencies', 'build', undefined]);
    expect(new Set(stages.map((stage) => stage.image)).size).toBe(1);
    expect(final.image).toMatch(/^node:(22|24)-slim$/);
  });

  test('uses a Node version that package.json allows', () => {
    const { engines } = z
      .object({ engines: z.object({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));
    const oldest = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
    expect(Number(/^node:(\d+)/.exec(final.image)?.[1])).toBeGreaterThanOrEqual(oldest);
  });

  test.each(stages.flatMap(sources))('copies %s, which exists and which .dockerignore includes', (source) => {
    expect(source).not.toBe('.');
    expect(existsSync(join(REPOSITORY, source))).toBe(true);
    expect(ignored).toContain(`!${source.replace(/^\.\//, '')}`);
  });

  test('includes only named files in the build context', () => {
    expect(ignored[0]).toBe('*');
    expect(ignored.slice(1).every((line) => line.startsWith('!'))).toBe(true);
    expect(ignored.some((line) => line.includes('.env') || line.includes('node_modules'))).toBe(false);
  });

  test('copies only from existing stages', () => {
    const from = stages
      .flatMap((stage) => all(stage, 'COPY'))
      .flatMap((rest) => /--from=(\S+)/.exec(rest)?.[1] ?? []);
    expect(from.sort()).toEqual(['build', 'dependencies']);
  });

  test('runs without the development dependencies', () => {
    expect(all(stageNamed('dependencies'), 'RUN')[0]).toContain('npm ci --omit=dev --ignore-scripts');
    expect(all(stageNamed('build'), 'RUN')).toEqual(['npm ci --ignore-scripts', 'npm run build']);
    expect(all(final, 'COPY')).toContain('--from=dependencies /app/node_modules ./node_modules');
    expect(all(final, 'COPY').filter((rest) => rest.includes('--from=build'))).toEqual([
      '--from=build /app/dist ./dist',
    ]);
    expect(all(final, 'RUN')).toEqual([]);
  });

  test('runs as a numeric non-root user', () => {
    const user = all(final, 'USER').at(-1) ?? '';
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('receives signals: exec form, SIGTERM', () => {
    expect(words.parse(JSON.parse(all(final, 'ENTRYPOINT')[0] ?? ''))).toEqual([
      'node',
      'dist/src/cli/main.js',
    ]);
    expect(words.parse(JSON.parse(all(final, 'CMD')[0] ?? ''))).toEqual(['serve']);
    expect(all(final, 'STOPSIGNAL')).toEqual(['SIGTERM']);
  });

  test.each([
    [200, 0],
    [503, 1],
  ])('checks /healthz with Node alone: status %i exits with %i', async (status, expected) => {
    const [check = ''] = all(final, 'HEALTHCHECK');
    const [program, ...args] = words.parse(JSON.parse(check.slice(check.indexOf('CMD') + 3)));
    expect(program).toBe('node');
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.int() }).parse(server.address());
    const child = spawn(process.execPath, args, { env: { PORT: String(port) } });
    const [code] = await once(child, 'exit');
    server.close();
    expect({ code, asked }).toEqual({ code: expected, asked: ['/healthz'] });
  });

  test('sets what a container needs, and no secret', () => {
    const environment = all(final, 'ENV').join(' ');
    expect(environment).toContain('NODE_ENV=production');
    expect(environment).toContain('HOST=0.0.0.0');
    expect(environment).toContain('RULES_PATH=/rules');
    const given = stages.flatMap((stage) => [...all(stage, 'ENV'), ...all(stage, 'ARG')]).join(' ');
    expect(given).not.toMatch(/token|key|secret|password|redis_url/i);
    expect(stages.flatMap((stage) => all(stage, 'ADD'))).toEqual([]);
  });
});
