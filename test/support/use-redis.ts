import { afterAll, beforeAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { startTestRedis } from './redis.js';
import type { TestRedis } from './redis.js';

/** Starts a Redis before the tests of a file and ends it after them. Gives the connection to it, which is there once they run. */
export function useTestRedis(): () => Redis {
  let server: TestRedis | undefined;
  let client: Redis | undefined;
  beforeAll(async () => {
    server = await startTestRedis();
    client = new Redis(server.url);
  });
  afterAll(async () => {
    client?.disconnect();
    await server?.stop();
  });
  return () => {
    if (client === undefined) throw new Error('the test Redis is there once the tests run');
    return client;
  };
}
