import type { Event } from '../events/envelope.js';
import type { JobRetry } from '../queues/job-outcome.js';
import { recheckInterval } from '../queues/recheck-interval.js';

/** The worker that processes an event wakes the next one; the recheck is for a wake-up that is lost. */
const RECHECK_MS = 200;
/** An earlier event that waits for SimpleMDM may wait for hours. */
const MAX_RECHECK_MS = 10_000;

/**
 * Lets an event wait until the earlier events of its device are processed.
 *
 * @param state - The state of the job of the earlier event.
 */
export function waitForEarlierEvent(event: Event, state: string): JobRetry {
  const maxMs = state === 'delayed' ? MAX_RECHECK_MS : RECHECK_MS;
  const pauseMs = recheckInterval(Date.parse(event.receivedAt), { share: 1, minMs: RECHECK_MS, maxMs });
  const reason = 'waits until an earlier event of the same device is processed';
  return { kind: 'retry', at: Date.now() + pauseMs, countsAttempt: false, reason };
}
