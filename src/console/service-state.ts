import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { openAlertStore } from '../alerts/alert-store.js';
import { alertCount } from '../alerts/pending-message.js';
import { openSilences } from '../alerts/silences.js';
import type { Silence } from '../alerts/silences.js';
import { openRunLimits } from '../coordination/run-limits.js';
import type { HeldRuleWithCount } from '../coordination/run-limits.js';
import type { ScheduleJob } from '../queues/jobs.js';
import type { RulesReport } from './rules-report.js';

/** Where the state of the service is read from. */
export interface StateSources {
  readonly redis: Redis;
  readonly schedules: Queue<ScheduleJob>;
  /** What is said of the rule files; undefined when no worker runs. */
  readonly report: () => Promise<RulesReport | undefined>;
}

/** A message that was not delivered, without what it says. */
export interface UndeliveredMessage {
  readonly id: string;
  readonly channel: string;
  /** Of its first alert. */
  readonly title: string;
  readonly alerts: number;
  readonly reason: string;
  /** The error code of the reason. */
  readonly code: string;
  readonly since: string;
}

/** What asks for a person. */
export interface ServiceState {
  readonly ruleProblems: RulesReport['problems'];
  readonly referenceProblems: RulesReport['referenceProblems'];
  readonly held: readonly HeldRuleWithCount[];
  readonly undelivered: readonly UndeliveredMessage[];
}

/** A rule in force and how it stands. */
export type RuleState = RulesReport['rules'][number] & {
  /** Where it is held, by account. */
  readonly held: readonly HeldRuleWithCount[];
  /** When it runs next by the clock; ISO 8601. */
  readonly next?: string;
};

/** The channels and what they could not, or are not to, tell. */
export interface AlertsState {
  readonly undelivered: readonly UndeliveredMessage[];
  readonly silences: readonly Silence[];
  readonly channels: RulesReport['channels'];
}

/** What asks for a person. */
export async function serviceState({ redis, report }: StateSources): Promise<ServiceState> {
  const [rules, held, undelivered] = await Promise.all([
    report(),
    openRunLimits(redis).listHeld(),
    undeliveredMessages(redis),
  ]);
  return {
    ruleProblems: rules?.problems ?? [],
    referenceProblems: rules?.referenceProblems ?? [],
    held,
    undelivered,
  };
}

/** The rules in force; undefined when no worker runs. */
export async function rulesState({
  redis,
  schedules,
  report,
}: StateSources): Promise<readonly RuleState[] | undefined> {
  const [rules, held, schedulers] = await Promise.all([
    report(),
    openRunLimits(redis).listHeld(),
    schedules.getJobSchedulers(0, -1, true),
  ]);
  return rules?.rules.map((rule) => {
    const next = schedulers.find(({ key }) => key === rule.id)?.next;
    return {
      ...rule,
      held: held.filter((one) => one.rule === rule.id),
      ...(next !== undefined && { next: new Date(next).toISOString() }),
    };
  });
}

/** The channels and what they could not, or are not to, tell. */
export async function alertsState({ redis, report }: StateSources): Promise<AlertsState> {
  const [undelivered, silences, rules] = await Promise.all([
    undeliveredMessages(redis),
    openSilences(redis).list(new Date()),
    report(),
  ]);
  return { undelivered, silences, channels: rules?.channels ?? [] };
}

async function undeliveredMessages(redis: Redis): Promise<UndeliveredMessage[]> {
  const all = await openAlertStore(redis).undelivered();
  return all.map((message) => {
    const { id, channel, groups, reason, code, since } = message;
    const [first] = groups.flatMap((group) => group.alerts);
    return { id, channel, title: first?.title ?? '', alerts: alertCount(message), reason, code, since };
  });
}
