import { displayTime } from '../alerts/display-text.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import { openOnceClaims } from '../coordination/once-claims.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex once list [RULE]`: for which devices or keys the rules with `once_per` have run. */
export async function listOnce(shards: Shards, rule: string | undefined, json: boolean): Promise<string> {
  const claims = (await fromAllShards(shards, (shard) => openOnceClaims(shard).list())).filter(
    (claim) => rule === undefined || claim.rule === rule,
  );
  if (json) return JSON.stringify(claims, undefined, 2);
  if (claims.length === 0) return 'no rule with once_per has run';
  return columns([
    ['ACCOUNT', 'RULE', 'RAN FOR', 'AT (UTC)', 'EVENT'],
    ...claims.map(({ account, rule: id, keys, at, event }) => [
      account,
      id,
      escapeControlCharacters([...keys].reverse().map(shownKey).join(', ')),
      displayTime(at),
      event.slice(0, 12),
    ]),
  ]).join('\n');
}

const NAMES: Readonly<Record<string, string>> = { serial: 'serial number ', id: 'device ', key: '' };

/** `serial:C02X…` as people read it. */
function shownKey(key: string): string {
  const kind = key.slice(0, key.indexOf(':'));
  return `${NAMES[kind] ?? ''}${key.slice(kind.length + 1)}`;
}

/** What to reset. */
export interface ResetOnceOptions {
  readonly rule: string;
  readonly account: string;
  /** The SimpleMDM id or the serial number of a device. */
  readonly device: string | undefined;
  /** A rendered key. */
  readonly key: string | undefined;
  readonly all: boolean;
}

/**
 * `mdm-reflex once reset RULE`: lets a rule run once more.
 *
 * @throws OperatorError unless exactly one of device, key and all is given, and when the rule has not run for it.
 */
export async function resetOnce(shards: Shards, options: ResetOnceOptions): Promise<string> {
  const { rule, account, device, key, all } = options;
  const given = [device !== undefined, key !== undefined, all].filter(Boolean);
  if (given.length !== 1) {
    const message = 'expected one of --device (id or serial number), --key (the rendered key) and --all';
    throw new OperatorError([{ code: 'cli/missing-argument', message }]);
  }
  const keys =
    device !== undefined
      ? [`serial:${device.toUpperCase()}`, `id:${device}`]
      : key === undefined
        ? undefined
        : [`key:${key}`];
  const count = await openOnceClaims(shards.of(account)).reset({ account, rule }, keys);
  if (count > 0)
    return `reset: ${rule} can run again for ${count} ${count === 1 ? 'device or key' : 'devices or keys'}`;
  const what = device ?? key;
  const message = `the rule "${rule}" has not run${what === undefined ? '' : ` for "${what}"`} in account "${account}"; "mdm-reflex once list" shows what it has run for`;
  throw new OperatorError([{ code: 'cli/not-claimed', message }]);
}
