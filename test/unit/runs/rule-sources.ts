import { pendingStep } from '../../../src/runs/step-records.js';
import type { StepRecord } from '../../../src/queues/jobs.js';
import type { RuleSource, StepSource } from '../../../src/rules/model/rule-schema.js';

/** A step that logs, unless `changes` say otherwise. */
export const stepSource = (changes: Partial<StepSource> = {}): StepSource => ({
  action: 'log',
  args: { message: 'hi' },
  onError: 'stop',
  ...changes,
});

/** A rule with one step that logs, unless `changes` say otherwise. */
export const ruleSource = (changes: Partial<RuleSource> = {}): RuleSource => ({
  id: 'r',
  enabled: true,
  on: ['device.enrolled'],
  allow: [],
  mode: 'live',
  onOwnActions: false,
  do: [stepSource()],
  ...changes,
});

/** The record of a completed step. */
export const completedStep = (source: StepSource): StepRecord => ({
  ...pendingStep(source),
  status: 'completed',
  attempts: 1,
});
