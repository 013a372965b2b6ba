import { readAccounts } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { openRaisedDevices } from '../coordination/raised-devices.js';
import { openLookups } from '../lookups/lookups.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import { retentionOf } from '../queues/retention.js';
import type { Shards } from '../queues/shards.js';
import type { Rule } from '../rules/model/rule.js';
import { edgeModeOf } from '../runs/decide-edges.js';
import { scheduledRule } from '../schedules/schedule-queue.js';
import { sweepFleet } from '../schedules/sweep-fleet.js';
import type { SweepEdges } from '../schedules/sweep-fleet.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { withLane } from '../simplemdm/lane.js';
import { createSharedRateLimiter } from '../simplemdm/shared-rate-limiter.js';
import { createLogger } from '../telemetry/logger.js';
import { loadRules } from './load-rules.js';

/** How many devices of an account a sweep would act on. */
export interface MatchCount {
  readonly account: string;
  /** Undefined for a rule without `for_each`: it runs once. */
  readonly evaluated: number | undefined;
  readonly matches: number;
  /** Why the count ended before the last device; undefined when it is complete. */
  readonly incomplete?: string;
}

/** What counting needs. */
export interface CountOptions {
  readonly shards: Shards;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  /** The id of a rule with a schedule. */
  readonly rule: string;
  /** A rule file or a folder; `RULES_PATH` when left out. */
  readonly rules: string | undefined;
  readonly signal: AbortSignal;
  /** Called after each batch of devices. */
  readonly onProgress: (count: MatchCount) => void;
}

/** A rule whose condition takes a call per device would be counted for an hour. */
const MAX_COUNT_MS = 60_000;

class CountStopped extends Error {}

/**
 * Counts the devices that a sweep of a rule would act on, account by account, as the sweep itself does and without its events. Its API
 * calls are bulk calls of the rate limiter of the service.
 *
 * @throws OperatorError when the rule files or the settings of this process do not allow to count.
 */
export async function countMatches(options: CountOptions): Promise<MatchCount[]> {
  const { env, rule: id } = options;
  const accounts = readAccounts(readSettings(env, ['worker']), env, ['worker']);
  const loaded = await loadRules(env, options.rules);
  const rule = scheduledRule(loaded.rules, id);
  if (rule === undefined) {
    const message = `the rule files here have no rule "${id}" with a schedule; set RULES_PATH or --rules to those of the service`;
    throw new OperatorError([{ code: 'cli/no-schedule', message }]);
  }
  const lookups = openLookups({
    sources: () => loaded.lookups,
    env,
    logger: createLogger({ level: 'silent', redact: (text) => text }),
    signal: options.signal,
  });
  const only = rule.source.accounts;
  const counts: MatchCount[] = [];
  for (const { name, apiKey = '', baseUrl } of accounts.values()) {
    if (only?.includes(name) === false) continue;
    const api = createSimpleMdm({
      account: name,
      apiKey,
      baseUrl,
      signal: options.signal,
      rateLimiter: createSharedRateLimiter(options.shards.of(name), name, rateOf(options.settings)),
    });
    counts.push(await countInAccount(rule, name, { api, lists: createCachedLists(api), lookups }, options));
  }
  return counts;
}

function rateOf({ API_RATE }: Settings): { readonly perSecond: number; readonly burst: number } {
  return { perSecond: API_RATE, burst: 2 * API_RATE };
}

async function countInAccount(
  rule: Rule,
  account: string,
  access: Pick<Parameters<typeof sweepFleet>[0], 'api' | 'lists' | 'lookups'>,
  { shards, settings, signal, onProgress }: CountOptions,
): Promise<MatchCount> {
  if (rule.source.schedule?.forEach === undefined) return { account, evaluated: undefined, matches: 1 };
  const deadline = Date.now() + MAX_COUNT_MS;
  let count: MatchCount = { account, evaluated: 0, matches: 0 };
  try {
    const { incomplete } = await withLane('bulk', () =>
      sweepFleet({
        ...access,
        rule,
        account,
        tick: { id: 'count', at: new Date().toISOString() },
        progress: undefined,
        edges: rule.source.when === undefined ? undefined : readOnlyEdges(rule, account, shards, settings),
        emit: () => Promise.resolve(),
        save: ({ evaluated, emitted }) => {
          count = { account, evaluated, matches: emitted };
          onProgress(count);
          if (signal.aborted || Date.now() > deadline) throw new CountStopped();
          return Promise.resolve();
        },
      }),
    );
    return { ...count, ...(incomplete !== undefined && { incomplete }) };
  } catch (error) {
    if (error instanceof CountStopped)
      return {
        ...count,
        incomplete: signal.aborted ? 'stopped' : `stopped after ${MAX_COUNT_MS / 1000} seconds`,
      };
    if (error instanceof SimpleMdmError || error instanceof LookupUnavailableError)
      return { ...count, incomplete: error.message };
    throw error;
  }
}

/** The raised devices, which a count does not change. */
function readOnlyEdges({ source }: Rule, account: string, shards: Shards, settings: Settings): SweepEdges {
  const raised = openRaisedDevices(shards.of(account), retentionOf(settings));
  const scope = { account, rule: source.id, mode: edgeModeOf(source, settings.READ_ONLY) };
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    start: nothing,
    raisedAmong: (devices) => raised.raisedAmong(scope, devices),
    markSeen: nothing,
    keepAll: nothing,
    finish: nothing,
  };
}
