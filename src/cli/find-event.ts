import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import { findEventIds, findTrace } from '../journal/find-events.js';
import type { Trace } from '../journal/trace.js';

/**
 * The trace of an event that a person names.
 *
 * @param id - The id, or its first characters (at least six).
 * @returns undefined when there is no such event.
 * @throws OperatorError when several ids start with these characters.
 */
export async function findEvent(shards: Shards, id: string): Promise<Trace | undefined> {
  const candidates = await findEventIds(shards, id);
  const [match] = candidates;
  if (candidates.length < 2) return match === undefined ? undefined : findTrace(shards, match);
  throw new OperatorError([
    {
      code: 'cli/ambiguous-id',
      message: `the ids of ${candidates.length} events start with "${id}"; give more characters of the id`,
    },
  ]);
}
