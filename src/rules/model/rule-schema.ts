import { z } from 'zod';
import { problemWithSchedule } from './cron.js';
import { durationText, waitText } from './duration.js';

const RULE_NAME =
  'expected lower-case letters, digits, - and _ (at most 64), starting with a letter or digit';
const STEP_NAME = 'expected lower-case letters, digits and _ (at most 32), starting with a letter';

const ruleId = z
  .string('expected a name for the rule, such as "onboard-laptops"')
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
    error: ({ input }) => RULE_NAME + suchAs(nameFrom(input, '-')),
  });

const stepId = z
  .string('expected a name for the step, such as "hello"')
  .regex(/^[a-z][a-z0-9_]{0,31}$/, { error: ({ input }) => STEP_NAME + suchAs(nameFrom(input, '_')) });

/** A name that would be taken, made of one that is not. */
function nameFrom(given: unknown, separator: string): string {
  return String(given)
    .toLowerCase()
    .replace(separator === '_' ? /[^a-z0-9_]+/g : /[^a-z0-9_-]+/g, separator)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 32);
}

const suchAs = (name: string): string => (/^[a-z]/.test(name) ? `, such as "${name}"` : '');

const eventPattern = z
  .string('expected an event type such as "device.enrolled"')
  .regex(
    /^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$/,
    'expected an event type such as "device.enrolled", or a pattern such as "device.*"',
  );

const expression = z
  .string({
    error: ({ input }) =>
      Array.isArray(input)
        ? 'expected one expression: join several with && (all of them) or || (any of them)'
        : 'expected an expression',
  })
  .min(1, 'expected an expression');

const stepBase = {
  id: stepId.optional().describe('later steps refer to what it leaves behind as `steps.<id>`'),
  if: expression.optional().describe('a condition: when it is not true, the step is skipped'),
  on_error: z
    .enum(['stop', 'continue'], 'expected "stop" or "continue"')
    .optional()
    .describe('`continue`: go on with the next step when this one fails; otherwise the run stops'),
  timeout: waitText
    .optional()
    .describe('how long the step may take from its beginning, waits and further tries included'),
  for_each: expression
    .optional()
    .describe('a list: the step is done for each of it, which is `item` in its texts and its `if`'),
  at_most: z
    .int('expected a whole number')
    .min(1)
    .max(1000, 'expected at most 1000')
    .optional()
    .describe('more items than this (100) fail the step before anything is done'),
};

/** The keys of a step beside its action. */
export const STEP_KEYS = Object.keys(stepBase);

/** A step as the file has it: one key is the action's name, its value the arguments. */
export const stepInFile = z.looseObject(stepBase, 'expected a step, such as "log: { message: hello }"');

/** A step as the file has it. */
export type StepInFile = z.output<typeof stepInFile>;

const EXPECTED_ON = 'expected an event type such as "device.enrolled", a list of them, or a schedule';

/** When a rule runs by the clock. */
export const schedule = z
  .strictObject(
    {
      schedule: z.string('expected a schedule in cron form, such as "0 8 * * 1-5"'),
      timezone: z.string('expected a time zone, such as Europe/Berlin').default('UTC'),
      for_each: z.enum(['devices'], 'expected "devices"').optional(),
    },
    EXPECTED_ON,
  )
  .superRefine(({ schedule: cron, timezone }, context) => {
    const problem = problemWithSchedule(cron, timezone);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem, path: [...problem.path] });
  });

const concurrency = z.strictObject(
  {
    key: z.string('expected a text, such as "{{ device.id }}"').min(1).optional(),
    mode: z
      .enum(['queued', 'single', 'restart'], 'expected "queued", "single" or "restart"')
      .default('queued'),
  },
  'expected how runs stand to each other, such as { mode: restart }',
);

/** A rule as the file has it, its steps not looked into yet. */
export const ruleInFile = z.object(
  {
    id: ruleId.describe('its name: lower-case letters, digits, - and _'),
    description: z
      .string('expected a text')
      .optional()
      .describe('what it is for: shown in traces and messages'),
    enabled: z
      .boolean({
        error: ({ input }) =>
          /^(?:no?|off)$/i.test(String(input))
            ? 'expected true or false: write false'
            : 'expected true or false',
      })
      .default(true)
      .describe('`false`: it never runs, and the trace says so'),
    on: z
      .union(
        [
          eventPattern.transform((type) => [type]),
          z.array(eventPattern).min(1, 'expected at least one event type'),
          schedule,
        ],
        EXPECTED_ON,
      )
      .describe(
        'an event type, a list of them (`*` stands for anything), or `{ schedule, timezone, for_each }`',
      ),
    if: expression.optional().describe('a condition: without one the rule takes every such event'),
    allow: z
      .array(
        z.enum(['destructive'], 'expected [destructive]: it is for all that cannot be undone'),
        'expected a list: [destructive]',
      )
      .default([])
      .describe('`[destructive]`: its steps may do what cannot be undone'),
    mode: z
      .enum(['live', 'dry_run'], 'expected "live" or "dry_run"')
      .default('live')
      .describe('`dry_run`: everything is decided and traced, and nothing is sent'),
    limit: z
      .strictObject(
        {
          runs: z.int('expected a whole number').positive('expected a whole number above 0'),
          per: durationText,
        },
        'expected a limit, such as { runs: 50, per: 1h }',
      )
      .optional()
      .describe(
        'past it the rule is held until a person lets its runs go on; a thousand in an hour when left out',
      ),
    concurrency: concurrency
      .optional()
      .describe(
        'how runs with the same `key` (the device) stand to each other: `mode: queued`, `single` or `restart`',
      ),
    on_own_actions: z
      .boolean('expected true or false')
      .default(false)
      .describe('`true`: it also takes events that rules of ours brought about'),
    accounts: z
      .array(z.string('expected the name of an account'), 'expected a list of accounts, such as [acme]')
      .min(1, 'expected at least one account')
      .optional()
      .describe('the accounts that it is for; all when left out'),
    do: z
      .array(stepInFile, 'expected a list of steps')
      .min(1, 'expected at least one step')
      .describe('its steps, in order'),
  },
  'expected a rule, with id, on and do',
);

/** A channel as the file has it; its type says what else stands in it. */
export const channelInFile = z.looseObject(
  { type: z.string('expected the type of the channel, such as slack') },
  'expected a channel, such as { type: slack, url: "${env:SLACK_URL}" }',
);

/** The name of a channel. */
export const channelName = ruleId;

/** A rule file. */
export const ruleFile = z.object(
  {
    channels: z
      .record(z.string(), z.unknown(), 'expected channels by their names')
      .nullish()
      .transform((channels) => channels ?? {}),
    rules: z
      .array(z.unknown(), 'expected a list of rules, each beginning with "- id:"')
      .nullish()
      .transform((rules) => rules ?? []),
  },
  'expected "rules:" and a list of rules',
);

/** A channel in our form, its texts as written: `${env:NAME}` stays a name. */
export interface ChannelSource {
  readonly name: string;
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A step in our form: the action by name, its arguments apart. */
const stepSource = z.object({
  action: z.string(),
  args: z.record(z.string(), z.unknown()),
  id: z.string().optional(),
  if: z.string().optional(),
  onError: z.enum(['stop', 'continue']),
  /** From when the step begins, waits and further tries included. */
  timeoutMs: z.number().optional(),
  /** An expression that gives the list whose items the step is done for. */
  forEach: z.string().optional(),
  /** More items than this fail the step before anything is done. */
  atMost: z.number().optional(),
});

/** A step in our form. */
export type StepSource = z.output<typeof stepSource>;

/** A rule in our form: plain JSON that a queue can carry. */
export const ruleSource = z.object({
  id: z.string(),
  description: z.string().optional(),
  enabled: z.boolean(),
  on: z.array(z.string()),
  /** When it runs by the clock; its `on` is then the type of the events that this makes. */
  schedule: z
    .object({ cron: z.string(), timezone: z.string(), forEach: z.enum(['devices']).optional() })
    .optional(),
  if: z.string().optional(),
  /** How its runs stand to each other; those of one device queue up when left out. */
  concurrency: z
    .object({ key: z.string().optional(), mode: z.enum(['queued', 'single', 'restart']) })
    .optional(),
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
