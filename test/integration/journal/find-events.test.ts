import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { findEventIds, findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { EventFilter } from '../../../src/journal/find-events.js';
import { openJournal } from '../../../src/journal/journal.js';
import { shortId } from '../../../src/journal/trace-keys.js';
import { statusOf } from '../../../src/journal/trace.js';
import type { ProcessingTrace, RunTrace } from '../../../src/journal/trace.js';
import type { Event } from '../../../src/events/envelope.js';
import { matchesType } from '../../../src/rules/model/event-pattern.js';
import { openShards } from '../../../src/queues/shards.js';
import { useTestRedis } from '../../support/use-redis.js';

const redis = useTestRedis();
beforeEach(() => redis().flushall());

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 90 };
const START = Date.parse('2026-01-31T08:00:00Z');
const shards = (count?: number) => openShards(redis(), count);
const journalOf = (account: string, count?: number) =>
  openJournal(shards(count).of(account), RETENTION, (text) => text);

const ACCOUNTS = ['default', 'school', 'shop'];
const TYPES = ['device.enrolled', 'device.unenrolled', 'device.lock.enabled', 'test_event', 'odd % type'];
const RULES = ['onboard', 'notify'];
const NAMES = ['Bob’s MacBook Pro', 'iPad of  Ann', 'ipad of Bob'];
const REASONS = [
  { reason: 'SimpleMDM answered 503', code: 'event/facts-unavailable' },
  { reason: 'The rule is held: 10 runs in 5 min', code: 'run/held' },
  { reason: 'status:failed\nrule:notify' },
];

/** What happens to an event of the property, one change after another. */
type Change =
  | { readonly kind: 'processing'; readonly state: ProcessingTrace['state']; readonly reason: number | null }
  | {
      readonly kind: 'run';
      readonly rule: string;
      readonly status: RunTrace['status'];
      readonly reason: number | null;
    }
  | { readonly kind: 'planned'; readonly rule: string }
  | { readonly kind: 'name'; readonly name: string };

interface Model {
  readonly event: Event;
  readonly device: { readonly id: number | null; readonly serial: string | null } | null;
  processing: ProcessingTrace | undefined;
  readonly runs: Map<string, RunTrace>;
}

const reasonIndex = fc.option(fc.nat(REASONS.length - 1));
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('processing' as const),
    state: fc.constantFrom<ProcessingTrace['state']>('processing', 'waiting', 'completed', 'failed'),
    reason: reasonIndex,
  }),
  fc.record({
    kind: fc.constant('run' as const),
    rule: fc.constantFrom(...RULES),
    status: fc.constantFrom<RunTrace['status']>('queued', 'running', 'waiting', 'completed', 'failed'),
    reason: reasonIndex,
  }),
  fc.record({ kind: fc.constant('planned' as const), rule: fc.constantFrom(...RULES) }),
  fc.record({ kind: fc.constant('name' as const), name: fc.constantFrom(...NAMES) }),
);

const history = fc.array(
  fc.record({
    account: fc.constantFrom(...ACCOUNTS),
    type: fc.constantFrom(...TYPES),
    // Few milliseconds, so that events share one.
    offset: fc.nat(6),
    device: fc.option(
      fc.record({
        id: fc.option(fc.integer({ min: 1, max: 4 })),
        serial: fc.option(fc.constantFrom('C02AB', 'c02xy', 'DMP9')),
      }),
    ),
    changes: fc.array(change, { maxLength: 5 }),
  }),
  { maxLength: 25 },
);

const everyFilter = fc.record({
  type: fc.constantFrom(...TYPES, '*', 'device.*', '*enrolled', 'no.such.type', 'none.*'),
  account: fc.constantFrom(...ACCOUNTS, 'nobody'),
  rule: fc.constantFrom(...RULES, 'never'),
  status: fc.constantFrom('queued', 'processing', 'waiting', 'completed', 'failed', 'no_match'),
  device: fc.constantFrom(
    '1',
    '2',
    '9',
    'c02ab',
    'C02XY',
    'c02',
    "bob's macbook",
    'IPAD of',
    'macbook',
    'zzz',
  ),
  reason: fc.constantFrom(
    'simplemdm ANSWERED',
    'run/held',
    'event/facts-unavailable',
    'rule:notify',
    '503',
    'zzz',
  ),
  since: fc.nat(6).map((offset) => new Date(START + offset)),
  until: fc.nat(6).map((offset) => new Date(START + offset)),
});
/** At most two conditions: more of them fit hardly any event. */
const filter: fc.Arbitrary<Omit<EventFilter, 'limit' | 'cursor'>> = fc
  .tuple(
    everyFilter,
    fc.subarray(['type', 'account', 'rule', 'status', 'device', 'reason', 'since', 'until'] as const, {
      maxLength: 2,
    }),
  )
  .map(([every, names]) => Object.fromEntries(names.map((name) => [name, every[name]])));

const idOf = (index: number): string => createHash('sha256').update(`event ${index}`).digest('hex');
const withReason = (index: number | null) => (index === null ? {} : (REASONS[index] ?? {}));

async function write(histories: typeof history extends fc.Arbitrary<infer T> ? T : never, count?: number) {
  const models: Model[] = [];
  const names = new Map<string, Set<string>>();
  for (const [index, { account, type, offset, device, changes }] of histories.entries()) {
    const known = device !== null && (device.id !== null || device.serial !== null) ? device : null;
    const event: Event = {
      id: idOf(index),
      account,
      type,
      at: new Date(START).toISOString(),
      receivedAt: new Date(START + offset).toISOString(),
      source: 'webhook',
      data: known === null ? {} : { device: { id: known.id, serial_number: known.serial } },
    };
    const model: Model = { event, device: known, processing: undefined, runs: new Map() };
    models.push(model);
    const journal = journalOf(account, count);
    expect(await journal.recordReceived([event])).toEqual([true]);
    const at = event.receivedAt;
    for (const one of changes) {
      if (one.kind === 'processing') {
        model.processing = { state: one.state, attempts: 1, at, ...withReason(one.reason) };
        await journal.recordProcessing(event.id, model.processing);
      }
      if (one.kind === 'run') {
        const run: RunTrace = {
          rule: one.rule,
          status: one.status,
          plannedAt: at,
          steps: [],
          ...withReason(one.reason),
        };
        model.runs.set(one.rule, run);
        await journal.recordRun(event.id, run);
      }
      if (one.kind === 'planned') {
        const run: RunTrace = { rule: one.rule, status: 'queued', plannedAt: at, steps: [] };
        if (!model.runs.has(one.rule)) model.runs.set(one.rule, run);
        await journal.recordPlanned(event.id, [run]);
      }
      if (one.kind === 'name') {
        await journal.recordFact(event.id, 'device', {
          status: 'found',
          value: { name: one.name },
          fetchedAt: at,
          durationMs: 1,
          calls: [],
        });
        const key = deviceOf(model);
        if (key !== undefined) names.set(key, (names.get(key) ?? new Set()).add(one.name));
      }
    }
  }
  return { models, names };
}

function deviceOf({ event, device }: Model): string | undefined {
  return device === null ? undefined : `${event.account}:${device.id ?? device.serial ?? ''}`;
}

const folded = (text: string): string => text.toLowerCase().replace('’', "'").replace(/\s+/g, ' ');

/** Looks at every event, one by one. */
function naive(
  { models, names }: Awaited<ReturnType<typeof write>>,
  wanted: Omit<EventFilter, 'limit' | 'cursor'>,
): string[] {
  const inAccount = models.filter(
    ({ event }) => wanted.account === undefined || event.account === wanted.account,
  );
  const asked = wanted.device?.toLowerCase() ?? '';
  const isExact = ({ device }: Model): boolean =>
    String(device?.id) === asked || device?.serial?.toLowerCase() === asked;
  /** What any event of the device says. */
  const serialsOf = (key: string): string[] =>
    models
      .filter((model) => deviceOf(model) === key)
      .flatMap(({ device }) => device?.serial?.toLowerCase() ?? []);
  // Serial numbers belong to the device, whichever of its events named them.
  const exact = new Set(
    inAccount
      .filter((model) => isExact(model) || serialsOf(deviceOf(model) ?? '').includes(asked))
      .map((model) => deviceOf(model)),
  );
  exact.delete(undefined);
  const fitsDevice = (model: Model): boolean => {
    const key = deviceOf(model);
    if (key === undefined) return false;
    if (exact.size > 0) return exact.has(key);
    return [...serialsOf(key), ...(names.get(key) ?? [])].some((text) => folded(text).includes(asked));
  };
  const fitsReason = ({ processing, runs }: Model, text: string): boolean =>
    [...(processing ? [processing] : []), ...runs.values()].some(({ reason = '', code }) =>
      text.includes('/') ? code === text : folded(reason).includes(text.toLowerCase()),
    );
  const statuses = ({ processing, runs }: Model): string[] => [
    statusOf(processing, [...runs.values()]),
    ...(processing === undefined || processing.state === 'completed' ? [] : [processing.state]),
    ...[...runs.values()].map(({ status }) => (status === 'running' ? 'processing' : status)),
  ];
  return inAccount
    .filter((model) => {
      const at = Date.parse(model.event.receivedAt);
      return (
        (wanted.type === undefined || matchesType(wanted.type, model.event.type)) &&
        (wanted.rule === undefined || model.runs.has(wanted.rule)) &&
        (wanted.status === undefined || statuses(model).includes(wanted.status)) &&
        (wanted.since === undefined || at >= wanted.since.getTime()) &&
        (wanted.until === undefined || at <= wanted.until.getTime()) &&
        (wanted.reason === undefined || fitsReason(model, wanted.reason)) &&
        (wanted.device === undefined || fitsDevice(model))
      );
    })
    .sort(
      (a, b) =>
        b.event.receivedAt.localeCompare(a.event.receivedAt) ||
        (shortId(a.event.id) < shortId(b.event.id) ? 1 : -1),
    )
    .map(({ event }) => event.id);
}

/** All pages of a list. */
async function allPages(wanted: Omit<EventFilter, 'limit' | 'cursor'>, limit: number, count?: number) {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await findEvents(shards(count), { ...wanted, limit, cursor });
    ids.push(...page.events.map(({ id }) => id));
    cursor = page.cursor;
    if (cursor !== undefined) expect(page.events).toHaveLength(limit);
  } while (cursor !== undefined);
  return ids;
}

describe.each([
  ['one shard', undefined],
  ['three shards', 3],
])('%s', (_what, count) => {
  test('a list has exactly the events that a look at each event finds, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(filter, { minLength: 4, maxLength: 12 }),
        fc.integer({ min: 1, max: 7 }),
        async (histories, filters, limit) => {
          await redis().flushall();
          const written = await write(histories, count);
          for (const wanted of filters)
            expect({ wanted, ids: await allPages(wanted, limit, count) }).toEqual({
              wanted,
              ids: naive(written, wanted),
            });
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the start of an id finds the ids, whatever its length', async () => {
    const histories = Array.from({ length: 40 }, (_, index) => ({
      account: ACCOUNTS[index % 3] ?? '',
      type: 'test_event',
      offset: 0,
      device: null,
      changes: [],
    }));
    await write(histories, count);
    for (const length of [6, 7, 8, 9, 15, 31, 32, 33, 63, 64])
      expect(await findEventIds(shards(count), idOf(7).slice(0, length))).toEqual([idOf(7)]);
    expect(await findEventIds(shards(count), idOf(7).slice(0, 5))).toEqual([]);
    expect((await findTrace(shards(count), idOf(7).slice(0, 12)))?.account).toBe('school');
    const sameShortId = idOf(7).slice(0, 63) + (idOf(7).endsWith('0') ? '1' : '0');
    expect(await findTrace(shards(count), sameShortId)).toBeUndefined();
  });
});
