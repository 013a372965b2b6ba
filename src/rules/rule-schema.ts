import { z } from 'zod';
import { durationText } from './duration.js';

const ruleId = z
  .string('expected a name for the rule')
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'expected lower-case letters, digits, - and _ (at most 64), starting with a letter or digit',
  );

const stepId = z
  .string('expected a name for the step')
  .regex(
    /^[a-z][a-z0-9_]{0,31}$/,
    'expected lower-case letters, digits and _ (at most 32), starting with a letter',
  );

const eventPattern = z
  .string('expected an event type such as "device.enrolled"')
  .regex(
    /^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$/,
    'expected an event type such as "device.enrolled", or a pattern such as "device.*"',
  );

const expression = z.string('expected an expression').min(1, 'expected an expression');

const stepBase = {
  id: stepId.optional(),
  if: expression.optional(),
  on_error: z.enum(['stop', 'continue'], 'expected "stop" or "continue"').optional(),
};

/** The keys of a step beside its action. */
export const STEP_KEYS = Object.keys(stepBase);

/** A step as the file has it: one key is the action's name, its value the arguments. */
export const stepInFile = z.looseObject(stepBase, 'expected a step, such as "log: { message: hello }"');

/** A rule as the file has it, its steps not looked into yet. */
export const ruleInFile = z.object(
  {
    id: ruleId,
    description: z.string('expected a text').optional(),
    enabled: z.boolean('expected true or false').default(true),
    on: z.union(
      [
        eventPattern.transform((type) => [type]),
        z.array(eventPattern).min(1, 'expected at least one event type'),
      ],
      'expected an event type such as "device.enrolled", or a list of them',
    ),
    if: expression.optional(),
    allow: z
      .array(z.enum(['destructive'], 'expected "destructive"'), 'expected a list, such as [destructive]')
      .default([]),
    mode: z.enum(['live', 'dry_run'], 'expected "live" or "dry_run"').default('live'),
    limit: z
      .strictObject(
        {
          runs: z.int('expected a whole number').positive('expected a whole number above 0'),
          per: durationText,
        },
        'expected a limit, such as { runs: 50, per: 1h }',
      )
      .optional(),
    on_own_actions: z.boolean('expected true or false').default(false),
    accounts: z
      .array(z.string('expected the name of an account'), 'expected a list of accounts, such as [acme]')
      .min(1, 'expected at least one account')
      .optional(),
    do: z.array(stepInFile, 'expected a list of steps').min(1, 'expected at least one step'),
  },
  'expected a rule, with id, on and do',
);

/** A rule file. */
export const ruleFile = z.object(
  {
    rules: z
      .array(z.unknown(), 'expected a list of rules')
      .nullable()
      .transform((rules) => rules ?? []),
  },
  'expected "rules:" and a list of rules',
);

/** A step in our form: the action by name, its arguments apart. */
export const stepSource = z.object({
  action: z.string(),
  args: z.record(z.string(), z.unknown()),
  id: z.string().optional(),
  if: z.string().optional(),
  onError: z.enum(['stop', 'continue']),
});

/** A step in our form. */
export type StepSource = z.output<typeof stepSource>;

/** A rule in our form: plain JSON that a queue can carry. */
export const ruleSource = z.object({
  id: z.string(),
  description: z.string().optional(),
  enabled: z.boolean(),
  on: z.array(z.string()),
  if: z.string().optional(),
  allow: z.array(z.enum(['destructive'])).default([]),
  mode: z.enum(['live', 'dry_run']).default('live'),
  /** How many runs may begin in a stretch of time before the rule is held. */
  limit: z.object({ runs: z.int(), perMs: z.number() }).optional(),
  /** Whether it also takes events that our own steps brought about. */
  onOwnActions: z.boolean().default(false),
  /** The accounts that it is for; all when left out. */
  accounts: z.array(z.string()).optional(),
  do: z.array(stepSource),
});

/** A rule in our form. */
export type RuleSource = z.output<typeof ruleSource>;
