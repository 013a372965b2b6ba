import { z } from 'zod';
import { problemWithSchedule } from './cron.js';
import { approval, approvalSource } from './approval-schema.js';
import { durationText, settleText, waitText } from './duration.js';

const RULE_NAME =
  'expected lower-case letters, digits, - and _ (at most 64), starting with a letter or digit';
const STEP_NAME = 'expected lower-case letters, digits and _ (at most 32), starting with a letter';

const ruleId = z
  .string('expected a name for the rule, such as "onboard-laptops"')
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, {
    error: ({ input }) => RULE_NAME + suchAs(validNameFrom(input, '-')),
  });

const stepId = z
  .string('expected a name for the step, such as "hello"')
  .regex(/^[a-z][a-z0-9_]{0,31}$/, { error: ({ input }) => STEP_NAME + suchAs(validNameFrom(input, '_')) });

/** A valid name made of an invalid one, to suggest it. */
function validNameFrom(given: unknown, separator: string): string {
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
        : typeof input === 'object' && input !== null
          ? 'expected one expression, such as device.platform == "macOS" && device.is_supervised'
          : 'expected an expression',
  })
  .min(1, 'expected an expression');

const stepBase = {
  id: stepId.optional().describe('Later steps read the result of the step as `steps.<id>`.'),
  if: expression.optional().describe('A condition. The step is skipped unless the condition is true.'),
  on_error: z
    .enum(['stop', 'continue'], 'expected "stop" or "continue"')
    .optional()
    .describe(
      'What happens if the step fails: `stop` (default) ends the run, `continue` starts the next step.',
    ),
  timeout: waitText
    .optional()
    .describe('How long the step may take in total, with its waits and retries. At most 90 days.'),
  for_each: expression
    .optional()
    .describe(
      'An expression that returns a list. The step runs once per item. In the step, `item` is the current item.',
    ),
  at_most: z
    .int('expected a whole number')
    .min(1)
    .max(1000, 'expected at most 1000')
    .optional()
    .describe(
      'The maximum number of items of `for_each`. If the list is longer, the step fails before it starts. Default: 100.',
    ),
  approve: approval
    .optional()
    .describe(
      'Asks people before the step: `{ channel, timeout, on_timeout }`. The run waits until somebody approves or rejects.',
    ),
};

/** The keys of a step other than its action. */
export const STEP_KEYS = Object.keys(stepBase);

/** A step as written in a file: one key is the name of the action, its value the arguments. */
export const stepInFile = z.looseObject(stepBase, {
  error: ({ input }) => {
    const [, action, given] = /^([a-z_]+)(?::(\S.*))?$/.exec(typeof input === 'string' ? input : '') ?? [];
    if (action === undefined) return 'expected a step, such as "log: { message: hello }"';
    return given === undefined
      ? `expected a step: write a colon behind the action, such as "${action}: {}"`
      : `expected a step: write a space behind the colon: "${action}: ${given}"`;
  },
});

/** A step as written in a file. */
export type StepInFile = z.output<typeof stepInFile>;

const EXPECTED_ON = 'expected an event type such as "device.enrolled", a list of them, or a schedule';

/** `device.enrolled, device.unenrolled` is one text. */
function expectedOn(given: unknown): string {
  const types = typeof given === 'string' ? given.split(/\s*,\s*|\s+(?:or|and)\s+/) : [];
  return types.length > 1 && types.every((type) => /^[A-Za-z0-9_.*-]+$/.test(type))
    ? `${EXPECTED_ON}: write [${types.join(', ')}]`
    : EXPECTED_ON;
}

/** The schedule of a rule. */
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

const EXPECTED_ONCE_PER =
  'expected "device", or a template such as "{{ attributes.owner }}"; to bound runs in time, use "limit"';

const concurrency = z.strictObject(
  {
    key: z.string('expected a text, such as "{{ device.id }}"').min(1).optional(),
    mode: z
      .enum(['queued', 'single', 'restart'], 'expected "queued", "single" or "restart"')
      .default('queued'),
  },
  'expected a concurrency group, such as { mode: restart }',
);

/** A rule as written in a file; the actions of its steps are not checked yet. */
export const ruleInFile = z.object(
  {
    id: ruleId.describe('The name of the rule: lower-case letters, digits, `-` and `_`.'),
    description: z
      .string('expected a text')
      .optional()
      .describe('What the rule is for. Shown in traces and messages.'),
    enabled: z
      .boolean({
        error: ({ input }) =>
          /^(?:no?|off|false)$/i.test(String(input))
            ? 'expected true or false: write false'
            : 'expected true or false',
      })
      .default(true)
      .describe('`false` disables the rule. Traces still list it.'),
    on: z
      .union(
        [
          eventPattern.transform((type) => [type]),
          z.array(eventPattern).min(1, 'expected at least one event type'),
          schedule,
        ],
        { error: ({ input }) => expectedOn(input) },
      )
      .describe(
        'An event type, a list of event types, or `{ schedule, timezone, for_each }`. In a type, `*` matches any text.',
      ),
    if: expression
      .optional()
      .describe(
        'A condition. The rule matches only if the condition is true. Without `if`, the rule matches every event in `on`.',
      ),
    allow: z
      .array(
        z.enum(['destructive'], 'expected [destructive], for actions that cannot be undone'),
        'expected a list: [destructive]',
      )
      .default([])
      .describe('`[destructive]` allows actions that cannot be undone.'),
    mode: z
      .enum(['live', 'dry_run'], 'expected "live" or "dry_run"')
      .default('live')
      .describe(
        'With `dry_run`, the service evaluates the rule and writes traces, but sends nothing. Default: `live`.',
      ),
    settle: settleText
      .optional()
      .describe(
        'How long the rule waits for inventory that a device has not reported yet. `0` decides at once. Default: 1h for `device.enrolled`, 0 for other events.',
      ),
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
        'The most runs that the rule can start, such as `{ runs: 50, per: 1h }`. With `runs: 50`, the 51st run in that time is held: runs wait until a person decides. Default: 1000 per hour.',
      ),
    concurrency: concurrency
      .optional()
      .describe(
        'What happens if two runs have the same `key` (default: the device). `mode` is `queued` (default), `single` or `restart`.',
      ),
    on_own_actions: z
      .boolean('expected true or false')
      .default(false)
      .describe('With `true`, the rule also matches events that mdm-reflex itself caused. Default: `false`.'),
    accounts: z
      .array(z.string('expected the name of an account'), 'expected a list of accounts, such as [acme]')
      .min(1, 'expected at least one account')
      .optional()
      .describe('The accounts to which the rule applies. Default: all.'),
    when: z
      .enum(['becomes_true'], 'expected "becomes_true"; write a condition as "if"')
      .optional()
      .describe(
        'For a schedule with `for_each: devices`. With `becomes_true`, the rule matches only when its condition turns true for a device, not at each tick.',
      ),
    once_per: z
      .string(EXPECTED_ONCE_PER)
      .refine((text) => text === 'device' || text.includes('{{'), EXPECTED_ONCE_PER)
      .optional()
      .describe(
        '`device` lets the rule run once for each device, ever. A template such as `"{{ attributes.owner }}"` lets it run once for each text.',
      ),
    approve: approval
      .optional()
      .describe(
        'Asks people before the run: `{ channel, timeout, on_timeout }`. The run waits until somebody approves or rejects.',
      ),
    do: z
      .array(stepInFile, 'expected a list of steps, each beginning with "- ", such as "- log: hello"')
      .min(1, 'expected at least one step')
      .describe('The steps, in order.'),
    on_clear: z
      .array(stepInFile, 'expected a list of steps')
      .min(1, 'expected at least one step')
      .optional()
      .describe(
        'With `when`: the steps for a device whose condition turns false again. They read the outputs of `do` as `raised.steps.<id>`.',
      ),
  },
  'expected a rule, with id, on and do',
);

/** A channel as written in a file; its type decides which other keys it has. */
export const channelInFile = z.looseObject(
  { type: z.string('expected the type of the channel, such as slack') },
  'expected a channel, such as { type: slack, url: "${env:SLACK_URL}" }',
);

/** The name of a channel. */
export const channelName = ruleId;

/** A rule file. */
export const ruleFile = z.object(
  {
    lookups: z
      .record(z.string(), z.unknown(), 'expected lookups by their names')
      .nullish()
      .transform((lookups) => lookups ?? {}),
    channels: z
      .record(
        z.string(),
        z.unknown(),
        'expected channels by their names, such as it-chat: { type: slack, url: "${env:SLACK_URL}" }',
      )
      .nullish()
      .transform((channels) => channels ?? {}),
    rules: z
      .array(z.unknown(), 'expected a list of rules, each beginning with "- id:"')
      .nullish()
      .transform((rules) => rules ?? []),
  },
  'expected "rules:" and a list of rules',
);

/** A parsed channel. Its texts keep `${env:NAME}` unresolved. */
export interface ChannelSource {
  readonly name: string;
  readonly type: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A parsed step: the name of its action, and the arguments. */
const stepSource = z.object({
  action: z.string(),
  args: z.record(z.string(), z.unknown()),
  id: z.string().optional(),
  if: z.string().optional(),
  onError: z.enum(['stop', 'continue']),
  /** From the start of the step, waits and retries included. */
  timeoutMs: z.number().optional(),
  /** An expression that returns the list of items. */
  forEach: z.string().optional(),
  /** The maximum number of items. */
  atMost: z.number().optional(),
  /** Asked before the step. */
  approve: approvalSource.optional(),
});

/** A parsed step. */
export type StepSource = z.output<typeof stepSource>;

/** A parsed rule: plain JSON that a queue can carry. */
export const ruleSource = z.object({
  id: z.string(),
  description: z.string().optional(),
  enabled: z.boolean(),
  on: z.array(z.string()),
  /** For a rule with a schedule; `on` is then the type of the events that the schedule emits. */
  schedule: z
    .object({ cron: z.string(), timezone: z.string(), forEach: z.enum(['devices']).optional() })
    .optional(),
  if: z.string().optional(),
  /** The concurrency group of the runs; those of one device queue when this is left out. */
  concurrency: z
    .object({ key: z.string().optional(), mode: z.enum(['queued', 'single', 'restart']) })
    .optional(),
  allow: z.array(z.enum(['destructive'])).default([]),
  mode: z.enum(['live', 'dry_run']).default('live'),
  /** How long the rule waits for inventory of a device that enrolled recently; by the type of the event when this is left out. */
  settleMs: z.number().optional(),
  /** The run limit: how many runs may start in a period before the rule is held. */
  limit: z.object({ runs: z.int(), perMs: z.number() }).optional(),
  /** Whether the rule also matches events that our own actions caused. */
  onOwnActions: z.boolean().default(false),
  /** The accounts that the rule is for; all when left out. */
  accounts: z.array(z.string()).optional(),
  /** Only for a schedule over devices: the rule matches when its condition turns true. */
  when: z.enum(['becomes_true']).optional(),
  /** `device`, or a template: the rule runs once for each. */
  oncePer: z.string().optional(),
  /** Asked before the first step. */
  approve: approvalSource.optional(),
  do: z.array(stepSource),
  /** The steps when the condition turns false again. */
  onClear: z.array(stepSource).optional(),
});

/** A parsed rule. */
export type RuleSource = z.output<typeof ruleSource>;
