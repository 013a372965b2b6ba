import type { Event } from '../events/envelope.js';
import { openJournal } from '../journal/journal.js';
import { journalPrefix, traceKey } from '../journal/trace-keys.js';
import { EVENTS, openEventQueue } from '../queues/queues.js';
import type { Retention } from '../queues/retention.js';
import type { Shard } from '../queues/shards.js';
import { enqueueEvents } from './enqueue-events.js';

/** Proves that webhooks can be stored. */
export interface StorageProbe {
  /** Stores an event in a shard exactly as the receiver does, under keys that no worker reads, and deletes it. Throws what Redis answers. */
  readonly store: (shard: Shard) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The id of the event of a probe. Only one exists at a time, so a process that dies leaves nothing that grows. */
const PROBE_ID = 'probe';

/** Opens the probe. */
export function openStorageProbe(retention: Retention): StorageProbe {
  const stores = new Map<Shard, Parameters<typeof enqueueEvents>[1]>();
  const storeOf = (shard: Shard): Parameters<typeof enqueueEvents>[1] => {
    const known = stores.get(shard);
    if (known !== undefined) return known;
    const probed: Shard = { redis: shard.redis, prefix: probePrefix(shard) };
    const events = openEventQueue(probed, retention);
    const store = { shard: probed, events, journal: openJournal(probed, retention, (text) => text) };
    stores.set(shard, store);
    return store;
  };
  return {
    store: async (shard) => {
      const store = storeOf(shard);
      try {
        await enqueueEvents([probeEvent()], store);
      } catch (error) {
        // A queue of BullMQ that could not connect once never does.
        stores.delete(shard);
        await store.events.close().catch(() => undefined);
        throw error;
      }
      await shard.redis.unlink(...probeKeys(shard));
    },
    close: async () => {
      await Promise.all([...stores.values()].map(({ events }) => events.close()));
    },
  };
}

function probeEvent(): Event {
  const now = new Date().toISOString();
  return {
    id: PROBE_ID,
    account: 'probe',
    type: 'probe',
    at: now,
    data: {},
    receivedAt: now,
    source: 'webhook',
  };
}

/** What else of the journal knows the event of a probe. */
const JOURNAL_KEYS = [
  'ids',
  'values:account',
  'values:type',
  'by:account:probe',
  'by:type:probe',
  'by:status:open',
];

const probePrefix = ({ prefix }: Shard): string => `${prefix}:probe`;

/** Every key that {@link enqueueEvents} writes for the probe in a shard, except what BullMQ writes once for each queue. A test compares. */
export function probeKeys(shard: Shard): string[] {
  const prefix = probePrefix(shard);
  return [
    ...['wait', 'id', 'marker', PROBE_ID].map((part) => `${prefix}:${EVENTS}:${part}`),
    `${prefix}:backlog:${EVENTS}:in-flight:interactive:probe`,
    traceKey(prefix, PROBE_ID),
    ...JOURNAL_KEYS.map((key) => `${journalPrefix(prefix)}${key}`),
  ];
}
