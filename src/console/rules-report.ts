import type { Redis } from 'ioredis';
import { z } from 'zod';
import { deliveryPolicyFrom } from '../alerts/delivery-policy.js';
import { KEY_PREFIX } from '../queues/connection.js';
import type { Rule } from '../rules/model/rule.js';
import { ruleSource } from '../rules/model/rule-schema.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';

/** A rule in force, without its steps. */
const ruleReport = ruleSource.pick({
  id: true,
  description: true,
  enabled: true,
  on: true,
  schedule: true,
  mode: true,
  limit: true,
  accounts: true,
});

/** A channel without its address and its secrets. */
const channelReport = z.object({
  name: z.string(),
  type: z.string(),
  serviceAlerts: z.boolean(),
  digest: z.object({ schedule: z.string(), timezone: z.string() }).optional(),
});

/** What a worker says of the rule files. */
export const rulesReport = z.object({
  rules: z.array(ruleReport),
  channels: z.array(channelReport),
  /** What is wrong with the files as they are now: `file:line:column: message`, the line, and a caret below the place. */
  problems: z.array(z.string()),
  /** What the rules in force name that is not there at SimpleMDM. */
  referenceProblems: z.array(z.string()),
});

/** What a worker says of the rule files. */
export type RulesReport = z.output<typeof rulesReport>;

/** What a report is made of. */
export interface ReportedRules {
  readonly current: () => readonly Rule[];
  readonly channels: () => readonly ChannelSource[];
  readonly problems: () => readonly string[];
  readonly referenceProblems: () => readonly string[];
}

/** What is said of the rule files. */
export function createRulesReport({
  current,
  channels,
  problems,
  referenceProblems,
}: ReportedRules): RulesReport {
  return {
    rules: current().map(({ source }) => ruleReport.parse(source)),
    channels: channels().map(({ name, type, settings }) => {
      const { serviceAlerts, digest } = deliveryPolicyFrom(settings);
      return { name, type, serviceAlerts, ...(digest && { digest }) };
    }),
    problems: [...problems()],
    referenceProblems: [...referenceProblems()],
  };
}

const KEY = `${KEY_PREFIX}:rules-report`;
/** A report is written this often, so that what Redis lost comes back. */
export const REPORT_INTERVAL_MS = 5000;
/** Without a worker nothing is in force. */
const KEPT_MS = 60_000;

/** Tells the processes that have no rules of their own. */
export async function writeReport(redis: Redis, report: RulesReport): Promise<void> {
  await redis.set(KEY, JSON.stringify(report), 'PX', KEPT_MS);
}

/** What a worker said last; undefined when none runs. */
export async function readReport(redis: Redis): Promise<RulesReport | undefined> {
  const text = await redis.get(KEY);
  return text === null ? undefined : rulesReport.parse(JSON.parse(text));
}
