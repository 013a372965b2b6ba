import type { Queue } from 'bullmq';
import type { AlertJob } from '../queues/jobs.js';
import { channelJobId, wakeJob } from '../queues/queues.js';
import type { AlertStore } from './alert-store.js';

/**
 * Makes sure that a job exists for a channel.
 *
 * @param promote - Also run a delayed job now, because the channel may be due earlier than the job.
 */
export async function wakeChannel(
  queue: Queue<AlertJob>,
  channel: string,
  { promote }: { readonly promote: boolean },
): Promise<void> {
  const jobId = channelJobId(channel);
  await queue.add('deliver', { channel }, { jobId });
  if (promote) await wakeJob(queue, jobId);
}

/** Wakes all busy channels: a job may have been lost, or may have been active while a new group was opened. */
export async function wakeBusyChannels(store: AlertStore, queue: Queue<AlertJob>): Promise<void> {
  const toRecheck = new Set(await store.channelsToRecheck());
  for (const channel of await store.busyChannels())
    await wakeChannel(queue, channel, { promote: toRecheck.has(channel) });
}
