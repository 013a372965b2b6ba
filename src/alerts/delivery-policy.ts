import { z } from 'zod';
import { nextTime, problemWithSchedule } from '../rules/model/cron.js';
import { durationText } from '../rules/model/duration.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const digest = z
  .strictObject(
    {
      schedule: z.string('expected a schedule in cron form, such as "0 8 * * 1-5"'),
      timezone: z.string('expected a time zone, such as Europe/Berlin').default('UTC'),
    },
    'expected when the digest is sent, such as { schedule: "0 8 * * 1-5" }',
  )
  .superRefine(({ schedule, timezone }, context) => {
    const problem = problemWithSchedule(schedule, timezone);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem, path: [...problem.path] });
  });

/** What every channel can say about how much it wants to hear. */
export const deliveryPolicySettings = {
  group_by: z.array(z.string('expected the name of a label'), 'expected a list of labels').optional(),
  group_wait: durationText.optional(),
  group_interval: durationText.optional(),
  repeat_interval: durationText.optional(),
  limit: z
    .strictObject(
      { messages: z.int('expected a whole number').positive(), per: durationText },
      'expected a limit, such as { messages: 20, per: 1m }',
    )
    .optional(),
  digest: digest.optional(),
  /** Whether it is also told of the service's own troubles. */
  service_alerts: z.boolean('expected true or false').optional(),
};

const deliveryPolicy = z.object(deliveryPolicySettings).transform((given) => ({
  /** Alerts that agree in these labels are one message. */
  groupBy: given.group_by ?? ['account', 'rule', 'service'],
  /** A message waits until nothing has been added to it for this long. */
  groupWaitMs: given.group_wait ?? 10 * SECOND,
  /** The longest that a message waits while more keeps coming, and the least time between two messages of a group. */
  groupIntervalMs: given.group_interval ?? 5 * MINUTE,
  /** The same alert is not told again for this long. */
  repeatMs: given.repeat_interval,
  limit: { messages: given.limit?.messages ?? 30, perMs: given.limit?.per ?? MINUTE },
  digest: given.digest,
  serviceAlerts: given.service_alerts ?? false,
}));

/** How a channel keeps calm, with the defaults filled in. */
export type DeliveryPolicy = z.output<typeof deliveryPolicy>;

/** Reads how a channel keeps calm from its settings. */
export function deliveryPolicyFrom(settings: Readonly<Record<string, unknown>>): DeliveryPolicy {
  return deliveryPolicy.parse(settings);
}

/** Alerts that wait to become one message. Times are epoch milliseconds. */
export interface PendingGroup {
  /** When its first and its last alert came. */
  readonly first: number;
  readonly last: number;
  /** When a message of the group was sent last. */
  readonly sent: number | undefined;
}

/**
 * When a group becomes a message, in epoch milliseconds. After Alertmanager's `group_wait` and `group_interval`, but for one thing: what
 * keeps coming keeps the message back, for `group_interval` at most, so that five hundred enrollments in a minute are one message.
 */
export function dueAt({ first, last, sent }: PendingGroup, calm: DeliveryPolicy): number {
  if (calm.digest !== undefined) {
    return nextTime(calm.digest.schedule, calm.digest.timezone, new Date(first)).getTime();
  }
  const complete = Math.min(last + calm.groupWaitMs, first + calm.groupIntervalMs);
  return sent === undefined ? complete : Math.max(complete, sent + calm.groupIntervalMs);
}
