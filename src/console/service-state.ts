import type { Queue } from 'bullmq';
import { openAlertStore } from '../alerts/alert-store.js';
import { alertCount, firstTitle } from '../alerts/pending-message.js';
import { openSilences } from '../alerts/silences.js';
import type { Silence } from '../alerts/silences.js';
import { openApprovals } from '../coordination/approvals.js';
import type { ApprovalRequest } from '../coordination/approvals.js';
import { countRaised } from '../coordination/raised-devices.js';
import { openRunLimits } from '../coordination/run-limits.js';
import type { HeldRuleWithCount } from '../coordination/run-limits.js';
import type { ShardStores } from '../coordination/shard-stores.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import type { ScheduleJob } from '../queues/jobs.js';
import type { RulesReport } from './rules-report.js';

/** Where the state of the service is read from. */
export interface StateSources {
  readonly stores: ShardStores;
  readonly schedules: Queue<ScheduleJob>;
  /** `API_RATE`. */
  readonly apiRate: number;
  /** The report on the rules; undefined when no worker runs. */
  readonly report: () => Promise<RulesReport | undefined>;
}

/** An undelivered message, without its text. */
export interface UndeliveredSummary {
  readonly id: string;
  readonly channel: string;
  /** The title of the first alert. */
  readonly title: string;
  /** The number of alerts. */
  readonly alerts: number;
  readonly reason: string;
  /** The error code of the reason. */
  readonly code: string;
  readonly since: string;
}

/** What needs the attention of a person. */
export interface ServiceState {
  readonly ruleProblems: RulesReport['problems'];
  readonly referenceProblems: RulesReport['referenceProblems'];
  readonly held: readonly HeldRuleWithCount[];
  readonly undelivered: readonly UndeliveredSummary[];
  /** The steps that wait for somebody to approve or reject them. */
  readonly approvals: readonly ApprovalRequest[];
}

/** A loaded rule and its state. */
export type RuleState = RulesReport['rules'][number] & {
  /** The accounts in which the rule is held. */
  readonly held: readonly HeldRuleWithCount[];
  /** With `when`: for how many devices the condition is true. */
  readonly raised?: number;
  /** The next tick of the schedule: ISO 8601. */
  readonly next?: string;
};

/** The channels, the undelivered messages and the silences. */
export interface AlertsState {
  readonly undelivered: readonly UndeliveredSummary[];
  readonly silences: readonly Silence[];
  readonly channels: RulesReport['channels'];
}

/** Reads what needs the attention of a person. */
export async function serviceState({ stores: { shards }, report }: StateSources): Promise<ServiceState> {
  const [rules, held, undelivered, approvals] = await Promise.all([
    report(),
    heldRules(shards),
    undeliveredMessages(shards),
    openApprovals(shards.home).list(),
  ]);
  return {
    ruleProblems: rules?.problems ?? [],
    referenceProblems: rules?.referenceProblems ?? [],
    held,
    undelivered,
    approvals,
  };
}

/** Reads the loaded rules; undefined when no worker runs. */
export async function rulesState({
  stores: { shards },
  schedules,
  report,
}: StateSources): Promise<readonly RuleState[] | undefined> {
  const [rules, held, raised, schedulers] = await Promise.all([
    report(),
    heldRules(shards),
    fromAllShards(shards, countRaised),
    schedules.getJobSchedulers(0, -1, true),
  ]);
  return rules?.rules.map((rule) => {
    const next = schedulers.find(({ key }) => key === rule.id)?.next;
    return {
      ...rule,
      held: held.filter((heldRule) => heldRule.rule === rule.id),
      ...(rule.when !== undefined && { raised: sumOfRule(raised, rule) }),
      ...(next !== undefined && { next: new Date(next).toISOString() }),
    };
  });
}

/** The raised devices of a rule in all accounts, of live runs or of dry runs as the rule is now. */
function sumOfRule(
  counts: Awaited<ReturnType<typeof countRaised>>,
  { id, mode }: RulesReport['rules'][number],
): number {
  return counts
    .filter((count) => count.rule === id && count.mode === mode)
    .reduce((sum, { devices }) => sum + devices, 0);
}

/** Reads the channels, the undelivered messages and the silences. */
export async function alertsState({ stores: { shards }, report }: StateSources): Promise<AlertsState> {
  const [undelivered, silences, rules] = await Promise.all([
    undeliveredMessages(shards),
    openSilences(shards.home).list(new Date()),
    report(),
  ]);
  return { undelivered, silences, channels: rules?.channels ?? [] };
}

async function undeliveredMessages(shards: Shards): Promise<UndeliveredSummary[]> {
  const messages = await openAlertStore(shards.home).undelivered();
  return messages.map((message) => {
    const { id, channel, reason, code, since } = message;
    return { id, channel, title: firstTitle(message), alerts: alertCount(message), reason, code, since };
  });
}

/** The held rules of all accounts. */
function heldRules(shards: Shards): Promise<HeldRuleWithCount[]> {
  return fromAllShards(shards, (shard) => openRunLimits(shard).listHeld());
}
