import { z } from 'zod';
import { nextTime, problemWithSchedule } from '../rules/model/cron.js';
import { durationText } from '../rules/model/duration.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const digest = z
  .strictObject(
    {
      schedule: z.string('expected a cron expression, such as "0 8 * * 1-5"'),
      timezone: z.string('expected a time zone, such as Europe/Berlin').default('UTC'),
    },
    'expected a digest, such as { schedule: "0 8 * * 1-5" }',
  )
  .superRefine(({ schedule, timezone }, context) => {
    const problem = problemWithSchedule(schedule, timezone);
    if (problem !== undefined) context.addIssue({ code: 'custom', ...problem, path: [...problem.path] });
  });

/** The delivery settings that every channel accepts. */
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
  /** Whether the channel also receives service alerts. */
  service_alerts: z.boolean('expected true or false').optional(),
};

const deliveryPolicy = z.object(deliveryPolicySettings).transform((settings) => ({
  /** Alerts with equal values of these labels form one message. */
  groupBy: settings.group_by ?? ['account', 'rule', 'service'],
  /** A group waits until no alert has joined for this long. */
  groupWaitMs: settings.group_wait ?? 10 * SECOND,
  /** The longest time that a group waits, and the minimum time between two messages of a group. */
  groupIntervalMs: settings.group_interval ?? 5 * MINUTE,
  /** The same alert is suppressed for this long. */
  repeatIntervalMs: settings.repeat_interval,
  limit: { messages: settings.limit?.messages ?? 30, perMs: settings.limit?.per ?? MINUTE },
  digest: settings.digest,
  serviceAlerts: settings.service_alerts ?? false,
}));

/** Grouping, digest and rate of the messages of a channel, with defaults applied. */
export interface DeliveryPolicy extends z.output<typeof deliveryPolicy> {
  /** Each message is about one dedup key, in place of `group_by`: the service updates and resolves by key. */
  readonly perKey: boolean;
}

/** Reads the delivery policy from the settings of a channel. */
export function deliveryPolicyFrom(
  settings: Readonly<Record<string, unknown>>,
  { perKey = false }: { readonly perKey?: boolean } = {},
): DeliveryPolicy {
  return { ...deliveryPolicy.parse(settings), perKey };
}

/** The times that decide when a group becomes a message. Epoch milliseconds. */
export interface GroupTimes {
  /** When the first alert was added. */
  readonly firstAt: number;
  /** When the last alert was added. */
  readonly lastAt: number;
  /** When the last message of the group was sent. */
  readonly sentAt: number | undefined;
  /** Whether the group resolves its problem: nobody should be called for a problem that is over. */
  readonly resolves?: boolean;
  /** Whether the group is one alert that is sent at once. */
  readonly immediate?: boolean;
}

/**
 * When a group becomes a message, in epoch milliseconds. Follows Alertmanager's `group_wait` and `group_interval`, except that
 * each alert restarts `group_wait`, up to `group_interval`: 500 enrollments in a minute are one message.
 */
export function dueAt(
  { firstAt, lastAt, sentAt, resolves, immediate }: GroupTimes,
  policy: DeliveryPolicy,
): number {
  if (immediate === true) return firstAt;
  if (policy.digest !== undefined) {
    return nextTime(policy.digest.schedule, policy.digest.timezone, new Date(firstAt)).getTime();
  }
  const complete = Math.min(lastAt + policy.groupWaitMs, firstAt + policy.groupIntervalMs);
  return sentAt === undefined || resolves === true
    ? complete
    : Math.max(complete, sentAt + policy.groupIntervalMs);
}
