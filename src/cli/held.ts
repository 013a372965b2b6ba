import type { Redis } from 'ioredis';
import { OperatorError } from '../config/operator-error.js';
import { openRunLimits } from '../coordination/run-limits.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex held list`: the rules whose runs wait for a person. */
export async function listHeld(redis: Redis, json: boolean): Promise<string> {
  const held = await openRunLimits(redis).listHeld();
  if (json) return JSON.stringify(held, undefined, 2);
  if (held.length === 0) return 'no rule is held';
  return columns([
    ['ACCOUNT', 'RULE', 'RUNS THAT WAIT', 'HELD SINCE (UTC)', 'WHY'],
    ...held.map(({ account, rule, waitingRuns, since, reason }) => [
      account,
      rule,
      String(waitingRuns),
      since.slice(0, 19).replace('T', ' '),
      escapeControlCharacters(reason),
    ]),
  ]).join('\n');
}

/** `mdm-reflex held release RULE`: its runs go on. */
export async function releaseHeld(redis: Redis, account: string, rule: string): Promise<string> {
  if (await openRunLimits(redis).release(account, rule))
    return `released: the runs of ${rule} go on in a few seconds`;
  throw notHeld(account, rule);
}

/** `mdm-reflex held drop RULE`: its runs that wait are dropped. */
export async function dropHeld(redis: Redis, account: string, rule: string): Promise<string> {
  if (await openRunLimits(redis).drop(account, rule))
    return `dropped: the runs of ${rule} that waited become dead letters in a few seconds; new ones begin`;
  throw notHeld(account, rule);
}

function notHeld(account: string, rule: string): OperatorError {
  return new OperatorError([
    `the rule "${rule}" is not held in the account "${account}"; "mdm-reflex held list" shows those that are`,
  ]);
}
