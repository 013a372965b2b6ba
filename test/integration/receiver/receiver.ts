import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { ERRORS } from '../../../src/errors/registry.js';
import { startService } from '../../../src/main.js';
import type { EventJob } from '../../../src/queues/jobs.js';
import { openEventQueue } from '../../../src/queues/queues.js';
import { collectLog } from '../../support/log-lines.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { singleShard } from '../../../src/queues/shards.js';

export const TOKEN = 'webhook-token-of-the-test-4711';
export const SECOND_TOKEN = 'second-webhook-token-0815';
export const ADMIN_TOKEN = 'admin-token-of-the-test-4711';
export const HOOK = `/webhooks/simplemdm/${TOKEN}`;

/** A process with the role of the receiver, as `mdm-reflex receiver` runs it. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Every log line so far. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Starts a receiver on a free port. */
export async function startReceiver(
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
  awaitReady = true,
): Promise<Receiver> {
  const { logTo, log } = collectLog();
  const service = await startService({
    env: {
      PORT: '0',
      REDIS_URL: redisUrl,
      WEBHOOK_TOKEN: TOKEN,
      ADMIN_TOKEN,
      LOG_LEVEL: 'trace',
      ...env,
    },
    roles: ['receiver'],
    logTo,
  });
  if (awaitReady) await until('the receiver is ready', () => isReady(service.url));
  return {
    url: service.url,
    port: Number(new URL(service.url).port),
    log,
    stop: service.stop,
  };
}

/** Whether a service reports that it is ready. */
export async function isReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/readyz`)).status === 200;
}

/** A receiver with its own Redis and access to its queue. */
export interface ReceiverWorld extends Receiver {
  readonly redis: TestRedis;
  readonly client: Redis;
  readonly queue: Queue<EventJob>;
  /** The events that are to be processed, in flight or in the backlog, oldest first. */
  readonly queued: () => Promise<EventJob['event'][]>;
  /** Deletes everything that Redis has. */
  readonly clear: () => Promise<void>;
}

export async function startReceiverWorld(
  env: Readonly<Record<string, string>> = {},
  redisSettings: Readonly<Record<string, string>> = {},
): Promise<ReceiverWorld> {
  const redis = await startTestRedis(redisSettings);
  const receiver = await startReceiver(redis.url, env);
  const client = new Redis(redis.url);
  client.on('error', () => undefined);
  const queue = openEventQueue(singleShard(client), { repeatWindowDays: 7, deadLetterDays: 90, attempts: 1 });
  queue.on('error', () => undefined);
  return {
    ...receiver,
    redis,
    client,
    queue,
    queued: async () =>
      (await queue.getJobs(['waiting', 'delayed'], 0, -1, true)).map((job) => job.data.event),
    clear: async () => {
      await client.flushall();
    },
    stop: async () => {
      await receiver.stop();
      await queue.close();
      client.disconnect();
      await redis.stop();
    },
  };
}

/** The body of a webhook about an enrolled device. */
export function enrolled(id: number, at = '2000-01-01T12:00:00.000-07:00') {
  return {
    type: 'device.enrolled',
    at,
    data: {
      device: { id, udid: '99919788-340F-40C3-A3F0-E54421B7A6FD', serial_number: `C02TEST${id}` },
    },
  };
}

/** A response. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends any bytes with any headers, which neither fetch nor supertest allows. */
export function send(
  url: string,
  path: string,
  options: { method?: string; headers?: Readonly<Record<string, string>>; body?: Uint8Array | string } = {},
): Promise<Reply> {
  const { method = 'POST', headers = {}, body = '' } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url + path,
      { method, headers: { 'content-type': 'application/json', ...headers }, agent: false },
      (response) => {
        const chunks: Uint8Array[] = [];
        response.on('data', (chunk: Uint8Array) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** Writes raw bytes to a port and collects the response until the server closes the connection. */
export function rawExchange(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => void socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(text));
    socket.once('error', (error) => (text === '' ? reject(error) : resolve(text)));
  });
}

const accepted = z.strictObject({ id: z.string().regex(/^[0-9a-f]{64}$/), duplicate: z.boolean() });

/** The body of a 202. */
export function acceptedFrom(text: string) {
  return accepted.parse(JSON.parse(text));
}

const problem = z
  .strictObject({
    type: z.string(),
    code: z.string().refine((code) => Object.hasOwn(ERRORS, code), 'a code of the registry'),
    title: z.string().min(1),
    status: z.int(),
    detail: z.string().min(1),
    requestId: z.string().min(1),
  })
  .refine(({ type, code }) => type === `urn:mdm-reflex:error:${code}`, 'the type belongs to the code');

/** The body of an error response, which must have the form of RFC 9457. */
export function problemFrom(text: string) {
  return problem.parse(JSON.parse(text));
}
