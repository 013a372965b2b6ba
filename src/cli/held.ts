import { displayTime } from '../alerts/display-text.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import { openRunLimits } from '../coordination/run-limits.js';
import { columns, escapeControlCharacters, jsonText } from './terminal.js';

/** `mdm-reflex held list`: lists the rules over their run limit, whose runs wait for a person. */
export async function listHeld(shards: Shards, json: boolean): Promise<string> {
  const held = await fromAllShards(shards, (shard) => openRunLimits(shard).listHeld());
  if (json) return jsonText(held);
  if (held.length === 0) return 'no rule is held';
  return columns([
    ['ACCOUNT', 'RULE', 'WAITING RUNS', 'HELD SINCE (UTC)', 'REASON'],
    ...held.map(({ account, rule, waitingRuns, behindEarlierRuns, since, reason }) => [
      account,
      rule,
      behindEarlierRuns === 0
        ? String(waitingRuns)
        : `${waitingRuns} (${behindEarlierRuns} behind earlier runs)`,
      displayTime(since),
      escapeControlCharacters(reason),
    ]),
  ]).join('\n');
}

/**
 * `mdm-reflex held release RULE`: lets the held runs continue.
 *
 * @throws OperatorError when the rule is not held.
 */
export async function releaseHeld(shards: Shards, account: string, rule: string): Promise<string> {
  if (await openRunLimits(shards.of(account)).release(account, rule))
    return `released: the runs of ${rule} continue within a few seconds, and those behind earlier runs after them`;
  throw notHeld(account, rule);
}

/**
 * `mdm-reflex held drop RULE`: drops the held runs.
 *
 * @throws OperatorError when the rule is not held.
 */
export async function dropHeld(shards: Shards, account: string, rule: string): Promise<string> {
  if (await openRunLimits(shards.of(account)).drop(account, rule))
    return `dropped: the held runs of ${rule} become dead letters within a few seconds, and those behind earlier runs after them; new runs start as usual`;
  throw notHeld(account, rule);
}

function notHeld(account: string, rule: string): OperatorError {
  return new OperatorError([
    {
      code: 'cli/not-held',
      message: `rule "${rule}" is not held in account "${account}"; "mdm-reflex held list" lists the held rules`,
    },
  ]);
}
