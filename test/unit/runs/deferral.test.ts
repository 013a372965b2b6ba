import { describe, expect, test } from '@jest/globals';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import type { Event } from '../../../src/events/envelope.js';
import type { FactTrace, RuleTrace } from '../../../src/journal/trace.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import {
  deferDecisions,
  factsForLook,
  outcomeWithWait,
  undecidedRules,
} from '../../../src/runs/defer-decisions.js';
import { evaluateRules } from '../../../src/runs/evaluate-rules.js';
import type { Decision } from '../../../src/runs/evaluate-rules.js';

const NOW = Date.parse('2026-01-31T08:00:00Z');
const HOUR = 3_600_000;

const EVENT: Event = {
  id: 'e',
  account: 'default',
  type: 'device.enrolled',
  at: '2026-01-31T07:59:59Z',
  receivedAt: '2026-01-31T08:00:00Z',
  source: 'webhook',
  data: { device: { id: 1 } },
};

const EMPTY = {
  id: 1,
  status: 'enrolled',
  enrolled_at: '2026-01-31T07:59:58Z',
  platform: null,
  model_name: null,
  imei: null,
};

function compiled(text: string): readonly Rule[] {
  const { rules, problems } = compileRuleFiles(
    [{ name: 'r.yaml', text }],
    serviceVocabulary({}, ['default']),
  );
  expect(problems).toEqual([]);
  return rules;
}

const ruleWith = (condition: string, more = ''): readonly Rule[] =>
  compiled(
    `rules:\n  - id: r\n    on: '*'\n    if: ${JSON.stringify(condition)}\n${more}    do: [log: hi]\n`,
  );

interface Asked {
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly event?: Partial<Event>;
  /** Milliseconds after the first look. */
  readonly after?: number;
}

async function decide(
  rules: readonly Rule[],
  { facts = {}, event = {}, after = 0 }: Asked = {},
): Promise<Decision> {
  const values: Readonly<Record<string, unknown>> = { device: EMPTY, ...facts };
  const [decision] = await evaluateRules(
    { ...EVENT, ...event },
    rules,
    { fetch: (name) => Promise.resolve(values[name] ?? null) },
    () => new Date(NOW + after),
    NOW,
  );
  if (decision === undefined) throw new Error('no rule listens');
  return decision;
}

describe('a condition that a null of the inventory leaves undecided', () => {
  test.each<[string, string, Asked, string]>([
    ['waits', 'device.platform == "macOS"', {}, 'waiting for inventory: platform'],
    [
      'names all of it',
      'device.model_name.contains("x") || device.os_version == "1"',
      { facts: { device: { ...EMPTY, os_version: null } } },
      'waiting for inventory: model_name, os_version',
    ],
    ['also by a name in brackets', 'device["model_name"] == "x"', {}, 'waiting for inventory: model_name'],
    [
      'leaves out what is only compared with null',
      'device.imei == null && device.model_name == "x"',
      {},
      'waiting for inventory: model_name',
    ],
    [
      'waits for apps, which the device has never reported',
      'apps.exists(a, a.name == "Slack")',
      { facts: { apps: [] } },
      'waiting for inventory: apps',
    ],
    [
      'does not take their absence for a no',
      '!apps.exists(a, a.name == "Slack")',
      { facts: { apps: [] } },
      'waiting for inventory: apps',
    ],
    [
      'waits for apps of a Mac whose record is there',
      '!apps.exists(a, a.name == "Slack")',
      { facts: { apps: [], device: { ...EMPTY, platform: 'macOS', model_name: 'Mac', os_version: '15' } } },
      'waiting for inventory: apps',
    ],
    [
      'waits for the log',
      'logs.exists(l, l.event_type == "x")',
      { facts: { logs: [] } },
      'waiting for inventory: logs',
    ],
  ])('%s', async (_name, condition, asked, reason) => {
    expect(await decide(ruleWith(condition), asked)).toMatchObject({
      verdict: 'waiting',
      reason,
      code: 'event/inventory-pending',
      inventory: { until: NOW + HOUR },
    });
  });

  test.each<[string, string, Asked, string]>([
    ['a test for null decides', 'device.model_name == null', {}, 'matched'],
    ['has() decides', 'has(device.model_name)', {}, 'not_matched'],
    ['a part that is false decides', 'device.id == 2 && device.model_name == "x"', {}, 'not_matched'],
    ['a part that is true decides', 'device.id == 1 || device.model_name == "x"', {}, 'matched'],
    [
      'a custom attribute is not inventory',
      'attributes.room == "A"',
      { facts: { attributes: {} } },
      'not_matched',
    ],
    [
      'a device that has left decides',
      'device.platform == "macOS"',
      { facts: { device: { ...EMPTY, status: 'unenrolled' } } },
      'not_matched',
    ],
    [
      'a device that is gone decides',
      'device.platform == "macOS"',
      { facts: { device: null } },
      'not_matched',
    ],
    [
      'apps of a device that is gone',
      'apps.exists(a, a.name == "x")',
      { facts: { device: null, apps: null } },
      'not_matched',
    ],
    [
      'an old event that is replayed decides',
      'device.platform == "macOS"',
      {
        event: { source: 'replay', at: '2025-01-01T00:00:00Z' },
        facts: { device: { ...EMPTY, enrolled_at: '2025-01-01T00:00:00Z' } },
      },
      'not_matched',
    ],
    [
      'a fresh event that is replayed waits',
      'device.platform == "macOS"',
      { event: { source: 'replay' } },
      'waiting',
    ],
    [
      'another event decides',
      'device.platform == "macOS"',
      { event: { type: 'device.changed_group' } },
      'not_matched',
    ],
  ])('%s at once', async (_name, condition, asked, verdict) => {
    expect(await decide(ruleWith(condition), asked)).toMatchObject({ verdict });
  });

  test('settle: 0 decides at once, and an empty list of a device that never reported is no "no"', async () => {
    const decision = await decide(ruleWith('!apps.exists(a, a.name == "x")', '    settle: 0\n'), {
      facts: { apps: [] },
    });
    expect(decision).toMatchObject({ verdict: 'not_matched', unknown: true });
    expect(decision.reason).not.toContain('settle');
  });

  test('settle lets a rule on another event wait, if the device enrolled within that time', async () => {
    const rules = ruleWith('device.platform == "macOS"', '    settle: 10m\n');
    const event = { type: 'device.changed_group' };
    expect(await decide(rules, { event })).toMatchObject({ verdict: 'waiting' });
    const device = { ...EMPTY, enrolled_at: '2026-01-31T07:49:00Z' };
    expect(await decide(rules, { event, facts: { device } })).toMatchObject({ verdict: 'not_matched' });
  });

  test('a rule that does not wait takes no empty list for the apps of a device that has just enrolled', async () => {
    const device = { ...EMPTY, platform: 'macOS', model_name: 'Mac', os_version: '26' };
    const enrolledBefore = { ...device, enrolled_at: '2026-01-31T06:59:00Z' };
    const condition = '!apps.exists(a, a.name == "x")';
    const asked = (facts: Record<string, unknown>): Asked => ({
      event: { type: 'device.changed_group' },
      facts: { apps: [], ...facts },
    });
    expect(await decide(ruleWith(condition), asked({ device }))).toMatchObject({
      verdict: 'not_matched',
      unknown: true,
      reason: expect.stringMatching(/; the device has not reported apps$/),
    });
    expect(await decide(ruleWith(condition), asked({ device: enrolledBefore }))).toMatchObject({
      verdict: 'matched',
    });
    // The author wants a decision with what there is.
    expect(await decide(ruleWith(condition, '    settle: 0\n'), asked({ device }))).toMatchObject({
      verdict: 'matched',
    });
  });

  test('after settle the rule decides with what there is, and says so', async () => {
    expect(await decide(ruleWith('device.platform == "macOS"'), { after: HOUR })).toEqual({
      rule: expect.anything(),
      verdict: 'not_matched',
      unknown: true,
      reason:
        'device.platform == "macOS" is not true: device.platform is null; platform did not arrive within settle (1h)',
    });
    const device = { ...EMPTY, platform: 'iOS', model_name: 'iPhone', os_version: '18' };
    const facts = { apps: [], device };
    expect(await decide(ruleWith('!apps.exists(a, a.name == "x")'), { facts, after: HOUR })).toMatchObject({
      verdict: 'matched',
    });
  });

  test('a concurrency key waits too: an empty one would put the run in no group', async () => {
    const rules = compiled(
      "rules:\n  - id: r\n    on: device.enrolled\n    concurrency: { key: '{{ device.model_name }}' }\n    do: [log: hi]\n",
    );
    expect(await decide(rules)).toMatchObject({
      verdict: 'waiting',
      reason: 'waiting for inventory: model_name',
    });
    expect(await decide(rules, { after: HOUR })).toMatchObject({ verdict: 'matched' });
  });

  test.each(['device', "'{{ device.serial_number }}'"])(
    'once_per: %s waits for the serial number: after another enrollment the device has another id',
    async (key) => {
      const rules = compiled(
        `rules:\n  - id: r\n    on: device.enrolled\n    once_per: ${key}\n    do: [log: hi]\n`,
      );
      expect(await decide(rules)).toMatchObject({
        verdict: 'waiting',
        reason: 'waiting for inventory: serial_number',
      });
      const device = { ...EMPTY, serial_number: 'C02A' };
      expect(await decide(rules, { facts: { device } })).toMatchObject({ verdict: 'matched' });
      expect(await decide(rules, { after: HOUR })).toMatchObject({ verdict: 'matched' });
    },
  );

  test('once_per: device does not wait when the webhook has the serial number', async () => {
    const rules = compiled(
      'rules:\n  - id: r\n    on: device.enrolled\n    once_per: device\n    do: [log: hi]\n',
    );
    const event = { data: { device: { id: 1, serial_number: 'C02A' } } };
    expect(await decide(rules, { event })).toMatchObject({ verdict: 'matched' });
  });
});

const [RULE] = ruleWith('device.platform == "macOS"');
const trace = (rule: string, verdict: RuleTrace['verdict']): RuleTrace => ({
  rule,
  verdict,
  reason: 'because',
  decidedAt: 'then',
});

function named(id: string): Rule {
  if (RULE === undefined) throw new Error('there is no rule');
  return { ...RULE, source: { ...RULE.source, id } };
}

const waitingDecision = (id: string, until: number): Decision => ({
  rule: named(id),
  verdict: 'waiting',
  reason: 'waiting for inventory: platform',
  code: 'event/inventory-pending',
  inventory: { missing: ['platform'], until },
});

describe('an event that waits', () => {
  test('only evaluates the rules that were undecided', () => {
    const rules = ['a', 'b', 'c', 'd', 'new'].map(named);
    const earlier = [
      trace('a', 'matched'),
      trace('b', 'waiting'),
      trace('c', 'not_matched'),
      trace('d', 'error'),
    ];
    expect(undecidedRules(rules, earlier).map(({ source }) => source.id)).toEqual(['b', 'd']);
    expect(undecidedRules(rules, undefined)).toBe(rules);
  });

  test('keeps the verdicts of the others in their order, and says when it looks again', () => {
    const earlier = [trace('a', 'waiting'), trace('b', 'matched')];
    const options = { earlier, before: undefined, since: NOW, now: NOW, pausesMs: undefined };
    const { decisions, wait } = deferDecisions([waitingDecision('a', NOW + HOUR)], options);
    const nextLookAt = '2026-01-31T08:00:15.000Z';
    expect(wait).toEqual({ since: '2026-01-31T08:00:00.000Z', looks: 1, nextLookAt });
    expect(decisions).toEqual([
      {
        rule: 'a',
        verdict: 'waiting',
        code: 'event/inventory-pending',
        reason: `waiting for inventory: platform, since 2026-01-31T08:00:00.000Z, next look ${nextLookAt}`,
        inventory: {
          since: '2026-01-31T08:00:00.000Z',
          looks: 1,
          nextLookAt,
          missing: ['platform'],
          until: '2026-01-31T09:00:00.000Z',
        },
        decidedAt: '2026-01-31T08:00:00.000Z',
      },
      earlier[1],
    ]);
  });

  test('a rule that is missing from the rule files waits until its settle is over', () => {
    const since = NOW;
    const first = deferDecisions([waitingDecision('a', NOW + 60_000)], {
      earlier: undefined,
      before: undefined,
      since,
      now: NOW,
      pausesMs: undefined,
    });
    const next = { earlier: first.decisions, before: first.wait, since, pausesMs: undefined };
    expect(deferDecisions([], { ...next, now: NOW + 20_000 }).decisions).toMatchObject([
      { rule: 'a', verdict: 'waiting' },
    ]);
    const over = deferDecisions([], { ...next, now: NOW + 60_000 });
    expect(over.wait).toBeUndefined();
    expect(over.decisions).toMatchObject([
      { rule: 'a', verdict: 'not_matched', reason: expect.stringContaining('in no rule file') },
    ]);
  });

  test('the earliest next attempt wins, and an unavailable API counts its attempts as without a wait', () => {
    const deferred = deferDecisions([waitingDecision('a', NOW + HOUR)], {
      earlier: undefined,
      before: undefined,
      since: NOW,
      now: NOW,
      pausesMs: undefined,
    });
    const retry = (at: number) =>
      ({
        kind: 'retry',
        at,
        countsAttempt: true,
        reason: 'no response',
        code: 'event/facts-unavailable',
      }) as const;
    const look = { kind: 'retry', at: NOW + 15_000, countsAttempt: false, code: 'event/inventory-pending' };
    expect(outcomeWithWait(retry(NOW + 1000), deferred)).toEqual(retry(NOW + 1000));
    expect(outcomeWithWait(retry(NOW + 20_000), deferred)).toMatchObject(look);
    expect(outcomeWithWait({ kind: 'completed' }, deferred)).toMatchObject(look);
    // The other rule failed for good: the event fails when nothing waits any more.
    expect(
      outcomeWithWait({ kind: 'failed', reason: 'x', code: 'event/rule-undecided' }, deferred),
    ).toMatchObject(look);
    expect(outcomeWithWait({ kind: 'requeue', reason: 'stops' }, deferred)).toMatchObject({
      kind: 'requeue',
    });
  });

  test('a look needs the facts of the device anew, except those that a killed worker fetched for it', () => {
    const fact = (fetchedAt: string): FactTrace => ({
      status: 'found',
      value: {},
      fetchedAt,
      durationMs: 0,
      calls: [],
    });
    const wait = { since: '2026-01-31T08:00:00.000Z', looks: 1, nextLookAt: '2026-01-31T08:00:15.000Z' };
    const known = new Map([
      ['device', fact('2026-01-31T08:00:15.100Z')],
      ['apps', fact('2026-01-31T08:00:00.000Z')],
      ['account', fact('2026-01-31T08:00:00.000Z')],
    ]);
    expect([...factsForLook(known, wait, Date.parse(wait.nextLookAt)).keys()]).toEqual(['device', 'account']);
    expect(factsForLook(known, wait, Date.parse(wait.nextLookAt) - 1)).toBe(known);
    expect(factsForLook(known, undefined, NOW)).toBe(known);
  });
});
