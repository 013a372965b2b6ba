import { describe, expect, test } from '@jest/globals';
import { effectiveRule, liveRuleStateOf } from '../../../src/runs/effective-rule.js';
import type { RuleSource } from '../../../src/rules/model/rule-schema.js';
import { completedStep, ruleSource, stepSource } from './rule-sources.js';

describe('effectiveRule', () => {
  const event = {
    id: 'e',
    account: 'default',
    type: 'device.enrolled',
    at: '2026-01-31T08:00:00Z',
    receivedAt: '2026-01-31T08:00:00Z',
    source: 'webhook' as const,
    data: {},
  };
  const current = ruleSource({ do: [stepSource(), stepSource({ args: { message: 'fixed' } })] });
  const planned = ruleSource({ do: [stepSource(), stepSource({ args: { message: 'wrong' } })] });
  const job = { event, rule: planned, steps: [completedStep(stepSource())], plannedAt: event.at };

  test('is the planned rule', () => {
    expect(effectiveRule(job, current)).toBe(planned);
  });

  test('is the current rule for a replay, if the finished steps are still its first ones', () => {
    expect(effectiveRule({ ...job, replays: 1 }, current)).toBe(current);
    const other = ruleSource({ do: [stepSource({ args: { message: 'another' } })] });
    expect(effectiveRule({ ...job, replays: 1 }, other)).toBe(planned);
  });
});

describe('ruleStateOf applies the stricter of the planned and the current rule', () => {
  const wipes = ruleSource({ allow: ['destructive'], do: [stepSource({ action: 'wipe', args: {} })] });

  test.each<[string, RuleSource | undefined, object]>([
    ['unchanged', wipes, { kind: 'active', dryRun: false }],
    ['missing', undefined, { kind: 'missing' }],
    ['disabled', { ...wipes, enabled: false }, { kind: 'stopped' }],
    ['for another account', { ...wipes, accounts: ['acme'] }, { kind: 'stopped' }],
    ['no longer allowed', { ...wipes, allow: [] }, { kind: 'stopped' }],
    ['a dry run', { ...wipes, mode: 'dry_run' }, { kind: 'active', dryRun: true }],
  ])('%s', (_what, current, expected) => {
    expect(liveRuleStateOf(wipes, current, 'default')).toMatchObject(expected);
  });

  test('a run that was planned as a dry run stays a dry run', () => {
    expect(liveRuleStateOf({ ...wipes, mode: 'dry_run' }, wipes, 'default')).toEqual({
      kind: 'active',
      dryRun: true,
    });
  });
});
