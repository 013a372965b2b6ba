import { fromAllShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import { openAlertStore } from '../alerts/alert-store.js';
import { openApprovals } from '../coordination/approvals.js';
import { accountStatuses } from '../coordination/account-status.js';
import type { AccountStatus } from '../coordination/account-status.js';
import { openRunLimits } from '../coordination/run-limits.js';
import { errorText } from '../telemetry/error-text.js';
import type { UserProblem } from '../errors/user-problem.js';
import type { Readiness } from '../receiver/health-routes.js';

/** What readiness depends on. */
export interface ReadinessSources {
  readonly stopping: boolean;
  /** Why a webhook could not be stored, as of the last probe; undefined when it could. */
  readonly redisProblem: UserProblem | undefined;
  /** Undefined while the process starts. */
  readonly shards: Shards | undefined;
  /** Undefined in a process that has no rules. */
  readonly rules: { readonly count: number; readonly problems: number } | undefined;
  /** The names of the accounts that are configured here. */
  readonly accounts: ReadonlySet<string>;
}

/** Whether a process can do its work. Everybody may read the answer, so it counts what needs attention and names nothing. */
export async function readinessOf(sources: ReadinessSources): Promise<Readiness> {
  const { redis, accounts, held, heldRuns, undelivered, approvals } = await readRedis(sources);
  const { rules, stopping } = sources;
  const problems = rules?.problems ?? 0;
  const attention = [
    // The previous rules stay live, so the process is ready.
    ...(problems > 0
      ? [`${counted(problems, 'problem', 'problems')} in the rule files: mdm-reflex validate`]
      : []),
    ...(held > 0
      ? [
          `${counted(held, 'rule is', 'rules are')} held, ${counted(heldRuns, 'run waits', 'runs wait')}: mdm-reflex held list`,
        ]
      : []),
    ...(undelivered > 0
      ? [`${counted(undelivered, 'message was', 'messages were')} not delivered: mdm-reflex alerts list`]
      : []),
    ...(approvals > 0
      ? [`${counted(approvals, 'run waits', 'runs wait')} for an approval: mdm-reflex approvals list`]
      : []),
  ];
  return {
    ready: redis === 'ok' && !stopping,
    details: {
      redis,
      ...(rules !== undefined && { rules: rules.count }),
      ...(problems > 0 && { rule_problems: problems }),
      ...(held > 0 && { held_rules: held, held_runs: heldRuns }),
      ...(undelivered > 0 && { undelivered_messages: undelivered }),
      ...(approvals > 0 && { pending_approvals: approvals }),
      ...(attention.length > 0 && { attention }),
      stopping,
      // A refused API key delays events, but the process can still accept more.
      accounts,
    },
  };
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What Redis knows. `redis` is `ok`, or why Redis cannot be used. */
interface RedisState {
  readonly redis: string;
  readonly accounts: Record<string, AccountStatus>;
  readonly held: number;
  readonly heldRuns: number;
  readonly undelivered: number;
  readonly approvals: number;
}

async function readRedis({ redisProblem, shards, accounts }: ReadinessSources): Promise<RedisState> {
  const nothing = { accounts: {}, held: 0, heldRuns: 0, undelivered: 0, approvals: 0 };
  // Everybody may read the answer: the word of the code says what is wrong, and no address.
  if (redisProblem !== undefined) return { ...nothing, redis: redisProblem.code.replace('redis/', '') };
  if (shards === undefined) return { ...nothing, redis: 'starting' };
  if (shards.redis.status !== 'ready') return { ...nothing, redis: 'unreachable' };
  try {
    const [statuses, held, undelivered, approvals] = await Promise.all([
      accountStatuses(shards.home),
      fromAllShards(shards, (shard) => openRunLimits(shard).listHeld()),
      openAlertStore(shards.home).countUndelivered(),
      openApprovals(shards.home).list(),
    ]);
    const known = Object.entries(statuses).filter(([name]) => accounts.has(name));
    return {
      redis: 'ok',
      accounts: Object.fromEntries(known),
      held: held.length,
      heldRuns: held.reduce((sum, { waitingRuns }) => sum + waitingRuns, 0),
      undelivered,
      approvals: approvals.length,
    };
  } catch (error) {
    return { ...nothing, redis: errorText(error) };
  }
}
