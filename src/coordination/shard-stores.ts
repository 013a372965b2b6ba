import type { Queue } from 'bullmq';
import { openJournal } from '../journal/journal.js';
import type { Journal } from '../journal/journal.js';
import type { EventJob, RunJob, SweepJob } from '../queues/jobs.js';
import { openEventQueue, openRunQueue, openSweepQueue } from '../queues/queues.js';
import type { Retention } from '../queues/retention.js';
import type { Shard, Shards } from '../queues/shards.js';
import type { Redact } from '../telemetry/redaction.js';

/** Where the events and runs of the accounts of a shard are. */
export interface ShardStore {
  readonly shard: Shard;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly sweeps: Queue<SweepJob>;
  readonly journal: Journal;
}

/** The stores of all shards. */
export interface ShardStores {
  readonly shards: Shards;
  readonly all: readonly ShardStore[];
  /** The store of an account. */
  readonly of: (account: string) => ShardStore;
  /** Closes the queues. */
  readonly close: () => Promise<void>;
}

/** Opens the queues and the journal of each shard. */
export function openShardStores(shards: Shards, retention: Retention, redact: Redact): ShardStores {
  const byShard = new Map(
    shards.all.map((shard): [Shard, ShardStore] => [
      shard,
      {
        shard,
        events: openEventQueue(shard, retention),
        runs: openRunQueue(shard, retention),
        sweeps: openSweepQueue(shard, retention),
        journal: openJournal(shard, retention, redact),
      },
    ]),
  );
  const all = [...byShard.values()];
  return {
    shards,
    all,
    of: (account) => {
      const store = byShard.get(shards.of(account));
      if (store === undefined) throw new Error(`the account ${account} has no shard`);
      return store;
    },
    close: async () => {
      await Promise.all(
        all.flatMap(({ events, runs, sweeps }) => [events.close(), runs.close(), sweeps.close()]),
      );
    },
  };
}
