import { defineScript, runScript } from '../queues/script.js';
import type { Shards } from '../queues/shards.js';
import { problemWithConnection } from '../queues/connection.js';

/**
 * When a webhook with this content was received first within the last ten minutes.
 *
 * @param content - Identifies the content of the webhook of the account.
 * @param receivedAt - ISO 8601: the result for a content that is new.
 * @throws Error when Redis is unreachable.
 */
export type FirstReceipt = (account: string, content: string, receivedAt: string) => Promise<string>;

/**
 * Proxies and senders repeat a delivery within minutes. Two events of one device with equal content that are both without a time and less
 * than ten minutes apart are hardly two events.
 */
const SAME_EVENT_S = 600;

/** KEYS: first receipt. ARGV: time, TTL in seconds. The TTL is not renewed, so that a sender that repeats forever starts a new event. */
const FIRST_RECEIPT = defineScript(`
  local first = redis.call('get', KEYS[1])
  if first then return first end
  redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
  return ARGV[1]
`);

/** Remembers, for all receivers, the webhooks that name no time: their fingerprint needs one. */
export function openFirstReceipts(shards: Shards): FirstReceipt {
  return async (account, content, receivedAt) => {
    const { redis, prefix } = shards.of(account);
    const problem = problemWithConnection(redis);
    if (problem !== undefined) throw problem;
    const key = `${prefix}:first-receipt:${content}`;
    return String(await runScript(redis, FIRST_RECEIPT, [key], [receivedAt, SAME_EVENT_S]));
  };
}
