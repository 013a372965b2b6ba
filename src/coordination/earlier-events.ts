import type { Queue } from 'bullmq';
import type { Shard } from '../queues/shards.js';
import type { Event } from '../events/envelope.js';
import type { JobRetry } from '../queues/job-outcome.js';
import { unfinishedJobState } from '../queues/job-state.js';
import type { EventJob } from '../queues/jobs.js';
import { wakeJob } from '../queues/queues.js';
import { recheckInterval } from '../queues/recheck-interval.js';
import { completeEvent, earlierEvent, removeEvent } from './event-order.js';

/** The queue of events and the shard that holds their order. */
export interface EventOrderContext {
  readonly shard: Shard;
  readonly events: Queue<EventJob>;
}

/** The worker that processes an event wakes the next one; the recheck is for a wake-up that is lost. */
const RECHECK_MS = 200;
/** An earlier event that waits for SimpleMDM may wait for hours. */
const MAX_RECHECK_MS = 10_000;

/**
 * Lets an event wait until the earlier events of its device are processed.
 *
 * @returns When to check again; undefined when there is none.
 */
export async function waitForEarlierEvents(
  event: Event,
  context: EventOrderContext,
): Promise<JobRetry | undefined> {
  const state = await stateOfEarlierEvent(event, context);
  if (state === undefined) return undefined;
  const maxMs = state === 'delayed' ? MAX_RECHECK_MS : RECHECK_MS;
  const pauseMs = recheckInterval(Date.parse(event.receivedAt), { share: 1, minMs: RECHECK_MS, maxMs });
  const reason = 'waits until an earlier event of the same device is processed';
  return { kind: 'retry', at: Date.now() + pauseMs, countsAttempt: false, reason };
}

async function stateOfEarlierEvent(
  event: Event,
  { shard, events }: EventOrderContext,
): Promise<string | undefined> {
  for (;;) {
    const earlier = await earlierEvent(shard, event);
    if (earlier === undefined) return undefined;
    const state = await unfinishedJobState(events, earlier);
    if (state !== undefined) return state;
    await removeEvent(shard, event, earlier);
  }
}

/** Marks an event as processed and wakes the next one of its device. */
export async function completeAndWakeNext(event: Event, { shard, events }: EventOrderContext): Promise<void> {
  const next = await completeEvent(shard, event);
  if (next !== undefined) await wakeJob(events, next);
}
