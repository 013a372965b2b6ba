import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../../support/until.js';
import { HOOK, enrolled, isReady, send, startReceiverWorld } from './receiver.js';
import type { ReceiverWorld } from './receiver.js';

let world: ReceiverWorld;
let server: Server;

beforeAll(async () => {
  world = await startReceiverWorld();
  server = await serverOf(world.url);
});

afterAll(() => world.stop());

/** The server of an address, found through the diagnostics channel that Node publishes every request to. */
async function serverOf(url: string): Promise<Server> {
  const found: Server[] = [];
  const onRequest = (message: unknown): void => {
    if (
      typeof message === 'object' &&
      message !== null &&
      'server' in message &&
      message.server instanceof Server
    ) {
      found.push(message.server);
    }
  };
  subscribe('http.server.request.start', onRequest);
  await isReady(url);
  unsubscribe('http.server.request.start', onRequest);
  const [first] = found;
  if (first === undefined) throw new Error('no request was published');
  return first;
}

interface Stalled {
  readonly socket: Socket;
  readonly received: () => string;
  readonly closed: () => boolean;
}

function stall(bytes: string): Stalled {
  let text = '';
  let closed = false;
  const socket = connect(world.port, '127.0.0.1', () => void socket.write(bytes));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.once('error', () => undefined);
  socket.once('close', () => {
    closed = true;
  });
  return { socket, received: () => text, closed: () => closed };
}

const body = JSON.stringify(enrolled(1));
const half = `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 40)}`;

test('the server limits the time for headers and for a whole request', () => {
  expect(server.headersTimeout).toBe(10_000);
  expect(server.requestTimeout).toBe(20_000);
  expect(server.keepAliveTimeout).toBeGreaterThan(0);
});

test('stalled senders are disconnected, and others are served meanwhile', async () => {
  const { headersTimeout, requestTimeout } = server;
  // Shorter limits for the test. The server checks them every two seconds.
  server.headersTimeout = 1000;
  server.requestTimeout = 1500;
  try {
    const stalled = [
      ...Array.from({ length: 50 }, () => stall(half)),
      stall('POST /webhooks/simplemdm HTTP/1.1\r\nHost: x\r\nX-Slow: '),
      stall('P'),
    ];
    await until('all are connected', () => stalled.every(({ socket }) => !socket.connecting));
    for (let id = 10; id < 30; id += 1) {
      expect((await send(world.url, HOOK, { body: JSON.stringify(enrolled(id)) })).status).toBe(202);
    }
    await until('all are disconnected', () => stalled.every(({ closed }) => closed()));
    for (const { received } of stalled) expect(received()).toMatch(/^HTTP\/1\.1 (408|400) |^$/);
  } finally {
    server.headersTimeout = headersTimeout;
    server.requestTimeout = requestTimeout;
  }
  expect((await send(world.url, HOOK, { body })).status).toBe(202);
  expect(
    (await world.queued()).filter(({ data }) => JSON.stringify(data) === JSON.stringify(enrolled(1).data)),
  ).toHaveLength(1);
});

test('a sender that disconnects halfway leaves no event and no error', async () => {
  const before = (await world.queued()).length;
  const logged = world.log().length;
  for (let count = 0; count < 20; count += 1) {
    const { socket } = stall(half.replace('"id":1,', '"id":9,'));
    await until('it is connected', () => !socket.connecting);
    if (count % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  expect((await send(world.url, HOOK, { body: JSON.stringify(enrolled(40)) })).status).toBe(202);
  expect(await world.queued()).toHaveLength(before + 1);
  expect(world.log().slice(logged)).not.toMatch(/"level":(50|60)/);
});

test('garbage instead of HTTP is rejected and harmless', async () => {
  for (const garbage of [
    '\0\0\0\0\r\n\r\n',
    'GET\r\n\r\n',
    '\x16\x03\x01\x02\x00',
    `POST ${HOOK} HTTP/9.9\r\n\r\n`,
  ]) {
    const { socket, closed, received } = stall(garbage);
    socket.end();
    await until('it is closed', closed);
    expect(received()).toMatch(/^HTTP\/1\.1 (400|505) |^$/);
  }
  const smuggled = stall(
    `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST ${HOOK} HTTP/1.1\r\n\r\n`,
  );
  await until('it is closed', smuggled.closed);
  expect(smuggled.received()).toMatch(/^HTTP\/1\.1 400 /);
  expect((await send(world.url, HOOK, { body: JSON.stringify(enrolled(41)) })).status).toBe(202);
});

test('the server rejects headers that are too large', async () => {
  const { closed, received } = stall(
    `POST ${HOOK} HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
  );
  await until('it is closed', closed);
  expect(received()).toMatch(/^HTTP\/1\.1 431 /);
});
