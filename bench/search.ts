/**
 * Measures lists of events with every filter, and the memory of a finished event. Fills a Redis with events through the journal, then
 * asks for the newest 50 of each filter.
 *
 *   npm run build && npm run bench:search -- --events 200000 --rounds 5
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Event } from '../src/events/envelope.js';
import { findEventIds, findEvents } from '../src/journal/find-events.js';
import type { EventFilter } from '../src/journal/find-events.js';
import { openJournal } from '../src/journal/journal.js';
import type { Journal } from '../src/journal/journal.js';
import type { FactTrace, RunTrace } from '../src/journal/trace.js';
import { openShards, singleShard } from '../src/queues/shards.js';
import { redisSize, startRedis } from './own-redis.js';
import { median, print } from './statistics.js';

const { values } = parseArgs({
  options: { events: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '5' } },
});
const count = Number(values.events);
const rounds = Number(values.rounds);

const BATCH = 500;
const DEVICES = 20_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const ACCOUNTS = ['default', 'school', 'shop'];
const NAMES = ['MacBook Pro of', 'iPad of', 'Mac mini in'];
const PEOPLE = ['Ada', 'Bob', 'Chen', 'Dora', 'Emil', 'Fatma', 'Gus', 'Hana'];

/** Event `n` of the data. About one in ten thousand is of a rare kind. */
function eventOf(n: number): Event {
  const device = (n * 7919) % DEVICES;
  const type = n % 9973 === 0 ? 'abm.device.added' : TYPES[n % TYPES.length];
  const at = new Date(START + n * 1000).toISOString();
  return {
    id: createHash('sha256').update(`event ${n}`).digest('hex'),
    account: ACCOUNTS[device % 20 === 0 ? 2 : device % 5 === 0 ? 1 : 0] ?? 'default',
    type: type ?? '',
    at,
    receivedAt: at,
    source: 'webhook',
    data: {
      device: {
        id: device + 1,
        udid: `99919788-340F-40C3-A3F0-${String(device).padStart(12, '0')}`,
        serial_number: serialOf(device),
      },
    },
  };
}
const TYPES = ['device.enrolled', 'device.unenrolled', 'device.changed_group', 'device.lock.enabled'];
const serialOf = (device: number): string => `C02${String(device).padStart(8, '0')}`;
const nameOf = (device: number): string =>
  `${NAMES[device % 3] ?? ''} ${PEOPLE[device % 8] ?? ''} ${Math.floor(device / 100)}`;

/** A small device: the fields of the fact that most rules read. */
function factOf(device: number, at: string): FactTrace {
  return {
    status: 'found',
    value: {
      id: device + 1,
      name: nameOf(device),
      serial_number: serialOf(device),
      platform: 'macOS',
      model_name: 'MacBook Pro (14-inch, 2023)',
      os_version: '26.1',
      status: 'enrolled',
      enrolled_at: at,
      last_seen_at: at,
      is_supervised: true,
      filevault_enabled: true,
      device_capacity: 494,
      available_device_capacity: 211,
      group: { id: 12, name: 'Laptops' },
    },
    fetchedAt: at,
    durationMs: 41,
    calls: [
      {
        account: 'default',
        method: 'GET',
        path: `/devices/${device + 1}`,
        route: '/devices/:id',
        status: 200,
        durationMs: 40,
      },
    ],
  };
}

function runOf(n: number, at: string): RunTrace | undefined {
  const run = (rule: string, status: RunTrace['status'], more: Partial<RunTrace> = {}): RunTrace => ({
    rule,
    status,
    plannedAt: at,
    finishedAt: at,
    steps: [
      {
        action: 'assign_device_group',
        status: status === 'completed' ? 'completed' : 'failed',
        attempts: 1,
        startedAt: at,
        finishedAt: at,
        calls: [
          {
            account: 'default',
            method: 'POST',
            path: '/device_groups/12/devices/1',
            route: '/device_groups/:id/devices/:id',
            status: 204,
            durationMs: 33,
          },
        ],
      },
    ],
    ...more,
  });
  if (n % 10_007 === 0) return run('erase-lost', 'completed');
  if (n % 101 === 0)
    return run('onboard', 'failed', {
      reason: `SimpleMDM answered 503 to POST /device_groups/12/devices/${(n * 7919) % DEVICES}`,
      code: 'api/server-error',
    });
  if (n % 499 === 0)
    return run('onboard', 'waiting', { reason: 'the rule is held: 10 runs in 5 min', code: 'run/held' });
  // Only enrollments, and only other events: no event has both rules.
  if (n % 4 === 0) return run('onboard', 'completed');
  return n % 4 === 2 ? run('regroup', 'completed') : undefined;
}

async function fill(journal: Journal, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += BATCH) {
    const events = Array.from({ length: Math.min(BATCH, to - start) }, (_, index) => eventOf(start + index));
    await journal.recordReceived(events);
    await Promise.all(
      events.map(async (event, index) => {
        const n = start + index;
        const run = runOf(n, event.at);
        await journal.record(event.id, {
          facts: [['device', factOf((n * 7919) % DEVICES, event.at)]],
          decisions: ['onboard', 'regroup'].map((rule) => ({
            rule,
            verdict: run?.rule === rule ? ('matched' as const) : ('not_matched' as const),
            reason: 'device.platform is "macOS"',
            decidedAt: event.at,
          })),
          processing: { state: 'completed', attempts: 1, at: event.at },
          ...(run && { planned: [run] }),
        });
      }),
    );
  }
}

type Filter = Omit<EventFilter, 'limit'>;
const at = (share: number): Date => new Date(START + count * 1000 * share);
const FILTERS: readonly (readonly [what: string, filter: Filter])[] = [
  ['no filter', {}],
  ['type device.enrolled', { type: 'device.enrolled' }],
  ['type device.*', { type: 'device.*' }],
  ['type abm.* (rare)', { type: 'abm.*' }],
  ['type that no event has', { type: 'no.such.type' }],
  ['account school', { account: 'school' }],
  ['rule onboard', { rule: 'onboard' }],
  ['rule erase-lost (rare)', { rule: 'erase-lost' }],
  ['status completed', { status: 'completed' }],
  ['status failed', { status: 'failed' }],
  ['status waiting', { status: 'waiting' }],
  ['status queued (none)', { status: 'queued' }],
  ['device by id', { device: '4712' }],
  ['device by serial number', { device: serialOf(4711).toLowerCase() }],
  ['device by UDID', { device: '99919788-340f-40c3-a3f0-000000004711' }],
  ['device by whole name', { device: nameOf(4711) }],
  ['device by part of name (833 devices)', { device: 'ipad of ada' }],
  ['device by part of name (all devices)', { device: 'mac' }],
  ['device by name that none has', { device: 'zzz' }],
  ['since a half, until three quarters', { since: at(0.5), until: at(0.75) }],
  ['until the first percent', { until: at(0.01) }],
  ['reason by code', { reason: 'api/server-error' }],
  ['reason by text', { reason: 'answered 503' }],
  ['reason by text that none has', { reason: 'zzz' }],
  ['type + rule, no event has both', { type: 'device.unenrolled', rule: 'onboard' }],
  ['rule + status, few have both', { rule: 'regroup', status: 'failed' }],
  ['account + type + status', { account: 'shop', type: 'device.enrolled', status: 'completed' }],
  ['name + status + since', { device: 'ada', status: 'failed', since: at(0.3) }],
  ['name + rule, rare', { device: 'ipad of', rule: 'erase-lost' }],
  ['reason + device', { reason: 'simplemdm', device: serialOf(505) }],
];

const server = await startRedis();
const redis = server.client;
try {
  const shards = openShards(redis);
  const journal = openJournal(
    singleShard(redis),
    { repeatWindowDays: 7, deadLetterDays: 90 },
    (text) => text,
  );
  const empty = await redisSize(redis);
  const startedAt = performance.now();
  await fill(journal, 0, count);
  const seconds = (performance.now() - startedAt) / 1000;
  const traces = await redis.eval(
    `local n, bytes = 0, 0
     for _, id in ipairs(redis.call('ZRANDMEMBER', KEYS[1] .. 'ids', 500)) do
       n = n + 1
       bytes = bytes + redis.call('MEMORY', 'USAGE', KEYS[1] .. 'trace:' .. id, 'SAMPLES', '0')
     end
     return math.floor(bytes / math.max(n, 1))`,
    1,
    'mdm-reflex:journal:',
  );
  print(`${count} events of ${DEVICES} devices in ${seconds.toFixed(0)} s; Node ${process.version}`);
  const full = await redisSize(redis);
  print(
    `per finished event: ${(full.keys / count).toFixed(3)} keys, ` +
      `${Math.round((full.bytes - empty.bytes) / count)} bytes (the trace: ${String(traces)})`,
  );
  print(`${'filter'.padEnd(42)}${'events'.padStart(7)}${'median ms'.padStart(11)}${'max ms'.padStart(9)}`);
  const measure = async (what: string, ask: () => Promise<number>): Promise<void> => {
    const times: number[] = [];
    let found = 0;
    for (let round = 0; round <= rounds; round += 1) {
      const from = performance.now();
      found = await ask();
      if (round > 0) times.push(performance.now() - from);
    }
    print(
      `${what.padEnd(42)}${String(found).padStart(7)}${median(times).toFixed(1).padStart(11)}${Math.max(
        ...times,
      )
        .toFixed(1)
        .padStart(9)}`,
    );
  };
  for (const [what, filter] of FILTERS)
    await measure(what, async () => (await findEvents(shards, { ...filter, limit: 50 })).events.length);
  const prefix = eventOf(1).id.slice(0, 8);
  await measure('an id by its first 8 characters', async () => (await findEventIds(shards, prefix)).length);
} finally {
  await server.stop();
}
