import type { Shard } from '../queues/shards.js';
import { z } from 'zod';
import { deliveryPolicyFrom } from '../alerts/delivery-policy.js';
import type { RuleProblem } from '../rules/model/problem.js';
import type { Rule } from '../rules/model/rule.js';
import { ruleSource } from '../rules/model/rule-schema.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';

/** A live rule, without its steps. */
const ruleReport = ruleSource.pick({
  id: true,
  description: true,
  enabled: true,
  on: true,
  schedule: true,
  when: true,
  mode: true,
  limit: true,
  accounts: true,
});

/** A channel without its URL and its secrets. */
const channelReport = z.object({
  name: z.string(),
  type: z.string(),
  serviceAlerts: z.boolean(),
  digest: z.object({ schedule: z.string(), timezone: z.string() }).optional(),
});

/** A problem in a rule file. The position is left out where the problem has none, such as an unreadable folder. */
const problemReport = z.object({
  code: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  /** `file:line:column: message [code]`, then the source line and a caret below the place. */
  text: z.string(),
});

/** The state of the rule files as a worker reports it. */
export const rulesReport = z.object({
  rules: z.array(ruleReport),
  channels: z.array(channelReport),
  /** The problems of the changed files; the last valid rules stay live. */
  problems: z.array(problemReport),
  /** The objects that the live rules name and SimpleMDM does not have. */
  referenceProblems: z.array(problemReport),
});

/** The state of the rule files as a worker reports it. */
export type RulesReport = z.output<typeof rulesReport>;

/** The live rules that a report describes. */
export interface ReportedRules {
  readonly current: () => readonly Rule[];
  readonly channels: () => readonly ChannelSource[];
  readonly problems: () => readonly RuleProblem[];
  readonly referenceProblems: () => readonly RuleProblem[];
}

/** Reports the state of the rule files. */
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
    problems: problems().map((problem) => problemReport.parse(problem)),
    referenceProblems: referenceProblems().map((problem) => problemReport.parse(problem)),
  };
}

const reportKey = (prefix: string): string => `${prefix}:rules-report`;
/** Repeated writes bring the report back after Redis lost it. */
export const REPORT_INTERVAL_MS = 5000;
/** The report expires when no worker runs any more. */
const EXPIRES_MS = 60_000;

/** Stores a report for the processes that have no rules of their own. */
export async function writeReport({ redis, prefix }: Shard, report: RulesReport): Promise<void> {
  await redis.set(reportKey(prefix), JSON.stringify(report), 'PX', EXPIRES_MS);
}

/** The newest report of a worker; undefined when no worker runs. */
export async function readReport({ redis, prefix }: Shard): Promise<RulesReport | undefined> {
  const text = await redis.get(reportKey(prefix));
  return text === null ? undefined : rulesReport.parse(JSON.parse(text));
}
