import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openRaisedDevices } from '../../../src/coordination/raised-devices.js';
import type { EdgeRequest, RaisedDevices } from '../../../src/coordination/raised-devices.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import { decideEdges } from '../../../src/runs/decide-edges.js';
import type { Decision } from '../../../src/runs/evaluate-rules.js';
import { useTestRedis } from '../../support/use-redis.js';
import { singleShard } from '../../../src/queues/shards.js';

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30 };
const SCOPE = { account: 'default', rule: 'lost', mode: 'live' } as const;

const redis = useTestRedis();
let raised: RaisedDevices;

beforeEach(async () => {
  await redis().flushall();
  raised = openRaisedDevices(singleShard(redis()), RETENTION);
});

const request = (event: string, isTrue: boolean, more: Partial<EdgeRequest> = {}): EdgeRequest => ({
  device: 1,
  isTrue,
  raise: { event, at: '2026-01-31T08:00:00Z' },
  again: false,
  ...more,
});
const decide = async (event: string, isTrue: boolean, more: Partial<EdgeRequest> = {}): Promise<string> =>
  (await raised.decide(SCOPE, request(event, isTrue, more))).kind;
const devices = async (): Promise<number[]> =>
  (await raised.list()).flatMap((list) => list.devices.map(({ device }) => device));

describe('an event', () => {
  test('raises a device once, and a later one clears it with the event that raised it', async () => {
    expect(await decide('e1', false)).toBe('none');
    expect(await decide('e2', true)).toBe('raise');
    expect(await decide('e3', true)).toBe('kept');
    expect(await raised.decide(SCOPE, request('e4', false))).toMatchObject({
      kind: 'clear',
      raised: { event: 'e2' },
    });
    expect(await decide('e5', false)).toBe('none');
    expect(await decide('e6', true)).toBe('raise');
  });

  test('gets the same answer after a crash, whatever has become of the condition', async () => {
    expect([await decide('e1', true), await decide('e1', false), await decide('e1', true)]).toEqual([
      'raise',
      'raise',
      'raise',
    ]);
    expect([await decide('e2', false), await decide('e2', true)]).toEqual(['clear', 'clear']);
    expect(await devices()).toEqual([]);
  });

  test('of several at the same moment, one raises the device', async () => {
    const kinds = await Promise.all(Array.from({ length: 20 }, (_, index) => decide(`e${index}`, true)));
    expect(kinds.filter((kind) => kind === 'raise')).toHaveLength(1);
  });

  test('of a replay raises the device again', async () => {
    await decide('e1', true);
    expect(await decide('e2', true, { again: true })).toBe('raise');
    expect(await raised.decide(SCOPE, request('e3', false))).toMatchObject({ raised: { event: 'e2' } });
  });

  test('concerns its account, rule and mode only', async () => {
    await decide('e1', true);
    for (const other of [{ account: 'acme' }, { rule: 'other' }, { mode: 'dry_run' as const }])
      expect((await raised.decide({ ...SCOPE, ...other }, request('e2', false))).kind).toBe('none');
    expect(await devices()).toEqual([1]);
  });
});

describe('a sweep', () => {
  test('drops the devices that it did not meet, but none that was raised meanwhile', async () => {
    for (const device of [1, 2, 3]) await decide(`e${device}`, true, { device });
    await raised.startSweep(SCOPE);
    await raised.markSeen(SCOPE, [1, 7, 8]);
    await decide('e9', true, { device: 9 });
    // The sweep continues in another process.
    await raised.markSeen(SCOPE, [3]);
    expect(await raised.dropUnseen(SCOPE)).toBe(1);
    expect(await devices()).toEqual([1, 3, 9]);
    expect(await raised.dropUnseen(SCOPE)).toBe(0);
  });

  test('of ten thousand raised devices works as well', async () => {
    const entry = JSON.stringify({ event: 'e', at: 'x' });
    const many = Array.from({ length: 10_000 }, (_, index) => [String(index + 1), entry]);
    await decide('e', true);
    await redis().hset('mdm-reflex:raised:live:default:lost', Object.fromEntries(many));
    await raised.startSweep(SCOPE);
    expect(await raised.dropUnseen(SCOPE)).toBe(10_000);
    expect(await devices()).toEqual([]);
  });
});

describe('the outputs of the run that raised a device', () => {
  const ttl = (event: string): Promise<number> => redis().ttl(`mdm-reflex:raised-outputs:${event}.lost`);
  const DAY_S = 86_400;

  test('stay as long as the device is raised, and as long as a replay needs them afterwards', async () => {
    await decide('e1', true);
    await raised.saveOutputs(SCOPE, 1, 'e1', { ticket: { id: 4711 } });
    expect(await ttl('e1')).toBeGreaterThan(399 * DAY_S);
    await redis().expire('mdm-reflex:raised-outputs:e1.lost', 10);
    expect(await raised.raisedAmong(SCOPE, [1, 2])).toEqual(new Set([1]));
    expect(await ttl('e1')).toBeGreaterThan(399 * DAY_S);
    await decide('e2', false);
    expect(await ttl('e1')).toBeLessThan(200 * DAY_S);
    expect(await raised.outputsOf(SCOPE, 'e1')).toEqual({ ticket: { id: 4711 } });
    expect(await raised.outputsOf(SCOPE, 'e2')).toEqual({});
    // The raising run is complete only now.
    await raised.saveOutputs(SCOPE, 1, 'e1', {});
    expect(await ttl('e1')).toBeLessThan(200 * DAY_S);
  });
});

test('an edge whose run did nothing is taken back, unless the device has been raised or cleared since', async () => {
  const e1 = { event: 'e1', at: 'x' };
  const raise = { kind: 'raise', mode: 'live', device: 1, raised: e1 } as const;
  await decide('e1', true);
  await raised.takeBack(SCOPE, 1, raise);
  expect(await devices()).toEqual([]);
  await decide('e2', true);
  await raised.takeBack(SCOPE, 1, raise);
  expect(await devices()).toEqual([1]);

  const { raised: cleared } = await raised
    .decide(SCOPE, request('e3', false))
    .then((result) => (result.kind === 'none' ? { raised: e1 } : result));
  const clear = { kind: 'clear', mode: 'live', device: 1, raised: cleared } as const;
  await raised.takeBack(SCOPE, 1, clear);
  expect(await raised.decide(SCOPE, request('e4', false))).toMatchObject({
    kind: 'clear',
    raised: { event: 'e2' },
  });
});

test('a reset forgets devices', async () => {
  for (const device of [1, 2, 3]) await decide(`e${device}`, true, { device });
  expect(await raised.reset(SCOPE, [2, 99])).toBe(1);
  expect(await raised.reset(SCOPE)).toBe(2);
  expect(await raised.reset(SCOPE)).toBe(0);
  expect(await decide('e4', true)).toBe('raise');
});

describe('decideEdges', () => {
  function ruleOf(onClear: string): Rule {
    const text = `rules: [{ id: lost, on: { schedule: '0 8 * * 1', for_each: devices }, if: device.name == "x", when: becomes_true, do: [log: hi], ${onClear} }]`;
    const { rules } = compileRuleFiles([{ name: 'r.yaml', text }], serviceVocabulary({}, ['default']));
    const [rule] = rules;
    if (rule === undefined) throw new Error('there is no rule');
    return rule;
  }
  const rule = ruleOf('on_clear: [log: bye]');
  let events = 0;
  const verdictOf = async (decision: Omit<Decision, 'rule' | 'reason'>, of = rule): Promise<Decision> => {
    events += 1;
    const event = {
      id: `event-${events}`,
      account: 'default',
      type: 'schedule.lost',
      at: '2026-01-31T08:00:00Z',
      receivedAt: '2026-01-31T08:00:00Z',
      source: 'schedule' as const,
      data: { device: { id: 1 } },
    };
    const facts = { fetch: () => Promise.resolve({ name: 'Ada', serial_number: 'C02' }) };
    const [result] = await decideEdges([{ rule: of, reason: 'why', ...decision }], event, {
      raised,
      facts,
      readOnly: false,
    });
    if (result === undefined) throw new Error('there is no decision');
    return result;
  };

  test.each([
    ['unknown', { verdict: 'not_matched', unknown: true }],
    ['an error', { verdict: 'error' }],
    ['a fact that is unavailable', { verdict: 'waiting' }],
    ['a rule that is disabled', { verdict: 'disabled' }],
    ['a chain that is cut', { verdict: 'not_matched', code: 'event/chain-cut' }],
  ] as const)('%s neither raises nor clears', async (_what, decision) => {
    expect(await verdictOf(decision)).toMatchObject(decision);
    expect(await devices()).toEqual([]);
    await verdictOf({ verdict: 'matched' });
    const kept = await verdictOf(decision);
    expect(kept).toMatchObject(decision);
    expect(kept.edge).toBeUndefined();
    expect(await devices()).toEqual([1]);
  });

  test('without on_clear, the device is cleared nevertheless', async () => {
    const without = ruleOf('');
    await verdictOf({ verdict: 'matched' }, without);
    expect(await verdictOf({ verdict: 'not_matched' }, without)).toMatchObject({
      verdict: 'cleared',
      reason: expect.stringContaining('the rule has no on_clear'),
    });
    expect(await devices()).toEqual([]);
  });

  test('whatever comes, do and on_clear take turns, and begin with do', async () => {
    const answers = fc.constantFrom<Omit<Decision, 'rule' | 'reason'>>(
      { verdict: 'matched' },
      { verdict: 'not_matched' },
      { verdict: 'not_matched', unknown: true },
      { verdict: 'error' },
      { verdict: 'waiting' },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(answers, { maxLength: 12 }), async (sequence) => {
        await redis().flushall();
        const edges: string[] = [];
        for (const answer of sequence) {
          const { edge } = await verdictOf(answer);
          if (edge !== undefined) edges.push(edge.kind);
        }
        expect(edges).toEqual(edges.map((_, index) => (index % 2 === 0 ? 'raise' : 'clear')));
        // The state is that of the last certain answer.
        const certain = sequence.filter(
          ({ verdict, unknown }) => verdict === 'matched' || (verdict === 'not_matched' && unknown !== true),
        );
        expect(await devices()).toEqual(certain.at(-1)?.verdict === 'matched' ? [1] : []);
      }),
      { numRuns: 30 },
    );
  });
});
