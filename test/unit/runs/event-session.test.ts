import { describe, expect, test } from '@jest/globals';
import type { Rule } from '../../../src/rules/model/rule.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import type { Decision } from '../../../src/runs/evaluate-rules.js';
import { outcomeOfDecisions } from '../../../src/runs/event-session.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';

const { rules } = compileRuleFiles(
  [
    {
      name: 'r.yaml',
      text: 'rules: [{ id: one, on: "*", do: [log: hi] }, { id: two, on: "*", do: [log: hi] }]',
    },
  ],
  serviceVocabulary({}, ['default']),
);
const rule = (index: number): Rule => {
  const found = rules[index];
  if (found === undefined) throw new Error('there are two rules');
  return found;
};

const failure = (status: number): SimpleMdmError =>
  new SimpleMdmError({
    kind: 'response',
    account: 'default',
    method: 'GET',
    path: '/devices/1',
    mayHaveTakenEffect: false,
    status,
  });
const matched: Decision = { rule: rule(0), verdict: 'matched', reason: 'the rule has no condition' };
const waiting = (status: number): Decision => ({
  rule: rule(1),
  verdict: 'waiting',
  reason: `device could not be looked up: ${status}`,
  cause: failure(status),
});
const undecided: Decision = { rule: rule(1), verdict: 'error', reason: 'division by zero' };

const AT = 1_700_000_000_000;
const firstAttempt = { isLastAttempt: false, retryAt: () => AT };
const lastAttempt = { isLastAttempt: true, retryAt: () => AT };

describe('outcomeOfDecisions', () => {
  test('an event whose rules are decided is completed', () => {
    expect(outcomeOfDecisions([], firstAttempt)).toEqual({ kind: 'completed' });
    expect(outcomeOfDecisions([matched], lastAttempt)).toEqual({ kind: 'completed' });
  });

  test('an event that waits for a fact is retried, and fails when its attempts are used up', () => {
    const problem = { reason: 'device could not be looked up: 503', code: 'event/facts-unavailable' };
    const decisions = [matched, waiting(503)];
    expect(outcomeOfDecisions(decisions, firstAttempt)).toEqual({
      kind: 'retry',
      at: AT,
      countsAttempt: true,
      ...problem,
    });
    expect(outcomeOfDecisions(decisions, lastAttempt)).toEqual({ kind: 'failed', ...problem });
  });

  test('an unavailable account uses up no attempt, whatever else the event waits for', () => {
    for (const status of [401, 429])
      expect(outcomeOfDecisions([waiting(503), waiting(status)], lastAttempt)).toEqual({
        kind: 'retry',
        at: AT,
        countsAttempt: false,
        isAccountUnavailable: true,
        reason: `device could not be looked up: ${status}`,
        code: 'event/facts-unavailable',
      });
  });

  test('a rule that cannot be decided fails the event, after the facts for the others have arrived', () => {
    expect(outcomeOfDecisions([matched, undecided], firstAttempt)).toEqual({
      kind: 'failed',
      reason: 'rule two: division by zero',
      code: 'event/rule-undecided',
    });
    expect(outcomeOfDecisions([undecided, waiting(503)], firstAttempt)).toMatchObject({ kind: 'retry' });
  });
});
