import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordCalls } from '../../../src/simplemdm/call-recorder.js';
import type { ApiCall } from '../../../src/http/api-call.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { openFile } from '../../../src/simplemdm/open-file.js';
import { failureOf } from './failure-of.js';
import { sendJson } from './tiny-server.js';

const apiKey = 'api-key-of-the-file-test';
let folder: string;
let server: Server | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdm-reflex-files-'));
});

afterEach(async () => {
  const running = server;
  server = undefined;
  await new Promise<void>((resolve) => (running === undefined ? resolve() : running.close(() => resolve())));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function apiOf(listener: Parameters<typeof createServer>[1]): Promise<SimpleMdm> {
  const running = createServer(listener);
  server = running;
  await new Promise<void>((resolve) => void running.listen(0, '127.0.0.1', resolve));
  const address = running.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return createSimpleMdm({ apiKey, baseUrl: `http://127.0.0.1:${port}`, timeoutMs: 2000, retries: 0 });
}

const app = { data: { type: 'app', id: 63, attributes: { name: 'Surf Report' } } };

test('a file is sent as multipart, with its name, a content length and unchanged bytes', async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
  const path = join(folder, 'Surf "Report".ipa');
  await writeFile(path, bytes);
  let received = Buffer.alloc(0);
  let headers: Record<string, unknown> = {};
  const api = await apiOf((request, response) => {
    const chunks: Buffer[] = [];
    headers = request.headers;
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received = Buffer.concat(chunks);
      sendJson(response, app, 201);
    });
  });
  const calls: ApiCall[] = [];
  const created = await recordCalls(calls, async () =>
    api.apps.create({ binary: await openFile(path), name: 'Surf Report' }),
  );
  expect(created.id).toBe(63);
  expect(headers).toMatchObject({
    'content-type': expect.stringMatching(/^multipart\/form-data; boundary=/),
    'content-length': String(received.length),
    authorization: expect.stringMatching(/^Basic /),
  });
  expect(received.indexOf(Buffer.from(bytes))).toBeGreaterThan(0);
  expect(received.toString('latin1')).toMatch(/name="binary"; filename="Surf %22Report%22.ipa"/);
  expect(calls).toMatchObject([
    {
      method: 'POST',
      path: '/apps',
      status: 201,
      body: { name: 'Surf Report', binary: 'Surf "Report".ipa, 70000 bytes' },
    },
  ]);
});

test('a large file streams in bounded memory', async () => {
  const path = join(folder, 'large.pkg');
  const file = await open(path, 'w');
  const size = 400_000_000;
  await file.truncate(size);
  await file.close();
  let received = 0;
  let peak = 0;
  const before = process.memoryUsage().arrayBuffers;
  const api = await apiOf((request, response) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    });
    request.on('end', () => sendJson(response, app));
  });
  await api.apps.update(63, { binary: await openFile(path), deployTo: 'none' });
  expect(received).toBeGreaterThan(size);
  expect(peak).toBeLessThan(size / 3);
});

test('a refusal before the end of the upload is reported', async () => {
  const path = join(folder, 'refused.pkg');
  const file = await open(path, 'w');
  await file.truncate(20_000_000);
  await file.close();
  const api = await apiOf((_request, response) => {
    response.writeHead(413, { connection: 'close' });
    response.end('{"errors":[{"title":"file is too large"}]}');
  });
  const error = await failureOf(api.apps.create({ binary: await openFile(path) }));
  // The rest of the upload may break the connection before the client reads the response.
  if (error.failure.kind === 'response') expect(error.failure.titles).toEqual(['file is too large']);
  else expect(error.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: true });
});

test('connection refused: no effect', async () => {
  const api = createSimpleMdm({ apiKey, baseUrl: 'http://127.0.0.1:1', retries: 0 });
  const error = await failureOf(api.scripts.create({ name: 'x', file: new Blob(['#!/bin/sh']) }));
  expect(error.failure).toMatchObject({ kind: 'network', mayHaveTakenEffect: false });
});

test('a download streams unchanged', async () => {
  const piece = Buffer.alloc(65_536, 7);
  const pieces = 500;
  const api = await apiOf((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-apple-aspen-config' });
    let sent = 0;
    const more = (): void => {
      while (sent < pieces) {
        sent += 1;
        if (!response.write(piece)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  const download = await api.customConfigurationProfiles.download(293814);
  expect(download.contentType).toBe('application/x-apple-aspen-config');
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of download.body) {
    hash.update(chunk);
    length += chunk.length;
  }
  expect(length).toBe(piece.length * pieces);
  const expected = createHash('sha256');
  for (let index = 0; index < pieces; index += 1) expected.update(piece);
  expect(hash.digest('hex')).toBe(expected.digest('hex'));
});

test('an interrupted download rejects with a network error', async () => {
  const api = await apiOf((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 10 });
    response.write('12345', () => response.destroy());
  });
  const download = await api.customConfigurationProfiles.download(1);
  await expect(download.text()).rejects.toMatchObject({
    failure: { kind: 'network', path: '/custom_configuration_profiles/1/download' },
  });
});
