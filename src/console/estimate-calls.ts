import { costKey } from '../coordination/call-costs.js';
import type { CallCost, CallCostsOfAccount } from '../coordination/call-costs.js';

/** Jobs whose API calls are to be estimated. */
export interface EstimatedJobs {
  readonly queue: 'events' | 'runs';
  /** The rule of the runs, or whose schedule emitted the events; undefined when there are several. */
  readonly rule: string | undefined;
  readonly count: number;
}

/**
 * How many API calls waiting jobs will make, from what finished jobs of their kind have made. An event is counted with the runs that it
 * starts.
 *
 * @returns Undefined when nothing is known about one of the kinds.
 */
export function estimateCalls(jobs: readonly EstimatedJobs[], costs: CallCostsOfAccount): number | undefined {
  let calls = 0;
  for (const { queue, rule, count } of jobs) {
    const perJob = queue === 'runs' ? callsPerRun(rule, costs) : callsPerEvent(rule, costs);
    if (perJob === undefined) return undefined;
    calls += perJob * count;
  }
  return Math.round(calls);
}

function callsPerRun(rule: string | undefined, costs: CallCostsOfAccount): number | undefined {
  return rule === undefined ? average(sum(costs, 'runs:')) : average(costs.get(costKey('runs', rule)));
}

function callsPerEvent(rule: string | undefined, costs: CallCostsOfAccount): number | undefined {
  if (rule !== undefined) {
    const event = average(costs.get(costKey('events', `schedule.${rule}`)));
    const run = callsPerRun(rule, costs);
    // An event of a sweep starts one run of its rule.
    return event === undefined || run === undefined ? undefined : event + run;
  }
  const events = sum(costs, 'events:');
  const perEvent = average(events);
  // No run yet: the events matched nothing.
  return perEvent === undefined ? undefined : perEvent + sum(costs, 'runs:').calls / events.jobs;
}

function average(cost: CallCost | undefined): number | undefined {
  return cost === undefined || cost.jobs === 0 ? undefined : cost.calls / cost.jobs;
}

function sum(costs: CallCostsOfAccount, prefix: string): CallCost {
  let calls = 0;
  let jobs = 0;
  for (const [key, cost] of costs) {
    if (!key.startsWith(prefix)) continue;
    calls += cost.calls;
    jobs += cost.jobs;
  }
  return { calls, jobs };
}
