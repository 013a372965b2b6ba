import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import type { Alert } from './alert.js';
import { alertKeys } from './alert-keys.js';

/** A problem is forgotten when no alert has been about it for this long. */
const PROBLEM_TTL_S = 400 * 86_400;

/**
 * KEYS: problem, added. ARGV: status, id of the alert, ttl (s). Returns whether the alert is about an open problem, the alert that
 * began the problem, and the last alert that reported it. A second attempt at the alert that resolved the problem gets the same.
 */
const TRACK = defineScript(`
  local status, episode, last, by = unpack(redis.call('hmget', KEYS[1], 'status', 'episode', 'last', 'by'))
  if redis.call('exists', KEYS[2]) == 1 then return {1, episode or '', last or ''} end
  if ARGV[1] == 'triggered' then
    if status ~= 'triggered' then episode = ARGV[2] end
    redis.call('hset', KEYS[1], 'status', 'triggered', 'episode', episode, 'last', ARGV[2])
    redis.call('expire', KEYS[1], ARGV[3])
    return {1, episode, ''}
  end
  if status == 'triggered' or (status == 'resolved' and by == ARGV[2]) then
    redis.call('hset', KEYS[1], 'status', 'resolved', 'by', ARGV[2])
    redis.call('expire', KEYS[1], ARGV[3])
    return {1, episode, last}
  end
  return {0, episode or '', ''}
`);

const tracked = z.tuple([z.int(), z.string(), z.string()]);

/**
 * Records what an alert says about the problem of its key, so that a resolve is sent once and only for a problem that was reported,
 * and so that the next problem with the same content is no repeat.
 */
export async function trackProblem(
  { redis, prefix }: Shard,
  alert: Alert,
): Promise<{ alert: Alert; isOpen: boolean }> {
  const { key, channel, status, id } = alert;
  if (key === undefined) return { alert, isOpen: true };
  const keyOf = alertKeys(prefix);
  const keys = [keyOf.problem(channel, key), keyOf.added(alert)];
  const [isOpen, episode, updates] = tracked.parse(
    await runScript(redis, TRACK, keys, [status, id, PROBLEM_TTL_S]),
  );
  return {
    alert: { ...alert, ...(episode !== '' && { episode }), ...(updates !== '' && { updates }) },
    isOpen: isOpen === 1,
  };
}
