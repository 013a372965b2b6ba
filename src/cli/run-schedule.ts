import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { estimateCalls } from '../console/estimate-calls.js';
import { readCallCosts } from '../coordination/call-costs.js';
import type { Shards } from '../queues/shards.js';
import { countMatches } from './count-matches.js';
import type { MatchCount } from './count-matches.js';
import type { Dialog } from './dialog.js';
import { addTickOf, checkSchedule } from './schedules.js';
import { shortDuration } from './short-duration.js';
import { escapeControlCharacters } from './terminal.js';
import { watchSweep } from './watch-sweep.js';

/** The options of `mdm-reflex schedules run`. */
export interface RunScheduleOptions {
  /** Starts without a question. */
  readonly yes: boolean;
  /** Whether to count the devices that match. */
  readonly count: boolean;
  /** A rule file or a folder; `RULES_PATH` when left out. */
  readonly rules?: string | undefined;
}

/** What the command works with. */
export interface RunScheduleContext {
  readonly shards: Shards;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly dialog: Dialog;
}

/**
 * `mdm-reflex schedules run RULE`: shows how many devices match, asks, adds a tick, and follows the sweep on a terminal until its runs are
 * done.
 *
 * @returns The last line of the command.
 * @throws OperatorError when the rule has no schedule, or nobody can be asked.
 */
export async function runSchedule(
  rule: string,
  { yes, count, rules }: RunScheduleOptions,
  context: RunScheduleContext,
): Promise<string> {
  const { shards, settings, dialog } = context;
  await checkSchedule(shards, settings, rule);
  if (!yes && !dialog.isInteractive) {
    const message = `"schedules run" asks before it starts, and this is not a terminal; add --yes to start without the question`;
    throw new OperatorError([{ code: 'cli/confirmation-needed', message }]);
  }
  if (count) await showCount(rule, rules, context);
  if (dialog.signal.aborted || (!yes && !(await dialog.ask(`Run ${rule} now?`))))
    return 'nothing was started';
  const tick = await addTickOf(shards, settings, rule);
  if (!dialog.isInteractive)
    return `tick added for ${rule} in each of its accounts; an account skips the tick while its previous sweep is still running. "mdm-reflex queue" shows the progress`;
  return watchSweep(rule, tick, context);
}

async function showCount(
  rule: string,
  rules: string | undefined,
  { shards, settings, env, dialog }: RunScheduleContext,
): Promise<void> {
  let counts: MatchCount[];
  try {
    counts = await countMatches({
      shards,
      settings,
      env,
      rule,
      rules,
      signal: dialog.signal,
      onProgress: (count) => dialog.progress(`counting: ${countText(count)}`),
    });
  } catch (error) {
    // The service has its own rules and API keys, so it can run what this process cannot count.
    if (!(error instanceof OperatorError)) throw error;
    dialog.print(`the devices that match cannot be counted here: ${escapeControlCharacters(error.message)}`);
    return;
  }
  for (const count of counts) {
    dialog.print(escapeControlCharacters(countText(count)));
    dialog.print(`  ${await timeText(rule, count, shards, settings)}`);
  }
}

/** What a sweep would do in an account. */
export function countText({ account, evaluated, matches, incomplete }: MatchCount): string {
  if (evaluated === undefined) return `${account}: one event, since the rule is not for each device`;
  if (incomplete === undefined)
    return `${account}: ${matches} of ${evaluated} ${evaluated === 1 ? 'device matches' : 'devices match'}`;
  return `${account}: ${matches} of the first ${evaluated} devices match; the count is incomplete: ${incomplete}`;
}

async function timeText(
  rule: string,
  { account, matches, incomplete }: MatchCount,
  shards: Shards,
  { API_RATE }: Settings,
): Promise<string> {
  const costs = await readCallCosts(shards.of(account), account);
  const calls = estimateCalls([{ queue: 'events', rule, count: matches }], costs);
  if (calls === undefined) return 'estimated time: unknown, since no run of the rule has finished yet';
  const limit = incomplete === undefined ? 'about' : 'at least';
  return `estimated time: ${limit} ${shortDuration((calls / API_RATE) * 1000)} for ${calls} API calls at ${API_RATE}/s, behind what waits already`;
}
