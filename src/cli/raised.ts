import { displayTime } from '../alerts/display-text.js';
import { fromAllShards } from '../queues/shards.js';
import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import { openRaisedDevices } from '../coordination/raised-devices.js';
import type { RaisedDevices, RaisedScope } from '../coordination/raised-devices.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** Without the settings of the service, outputs are kept as long as by default. */
const RETENTION = { repeatWindowDays: 7, deadLetterDays: 90 };

/** `mdm-reflex raised list [RULE]`: the devices for which the condition of a rule with `when` is true. */
export async function listRaised(shards: Shards, rule: string | undefined, json: boolean): Promise<string> {
  const lists = (await fromAllShards(shards, (shard) => openRaisedDevices(shard, RETENTION).list()))
    .filter((list) => rule === undefined || list.rule === rule)
    .sort((a, b) => a.rule.localeCompare(b.rule) || a.account.localeCompare(b.account));
  if (json) return JSON.stringify(lists, undefined, 2);
  if (lists.length === 0) return 'no device is raised';
  return columns([
    ['ACCOUNT', 'RULE', 'DEVICE', 'SERIAL NUMBER', 'NAME', 'SINCE (UTC)', 'EVENT', ''],
    ...lists.flatMap(({ account, rule: id, mode, devices }) =>
      devices.map(({ device, serialNumber = '', name = '', at, event }) => [
        account,
        id,
        String(device),
        escapeControlCharacters(serialNumber),
        escapeControlCharacters(name),
        displayTime(at),
        event.slice(0, 12),
        mode === 'dry_run' ? 'dry run' : '',
      ]),
    ),
  ]).join('\n');
}

/** What to reset. */
export interface ResetRaisedOptions {
  readonly rule: string;
  readonly account: string;
  /** The SimpleMDM id or the serial number of a device. */
  readonly device: string | undefined;
  readonly all: boolean;
  /** Resets what dry runs left. */
  readonly dryRun: boolean;
}

/**
 * `mdm-reflex raised reset RULE`: forgets that devices are raised. If the condition is true at the next sweep, the rule acts again.
 *
 * @throws OperatorError when no device is named, or the device is not raised.
 */
export async function resetRaised(shards: Shards, options: ResetRaisedOptions): Promise<string> {
  const { rule, account, device, all, dryRun } = options;
  if ((device === undefined) === !all) {
    const message = 'expected --device with the id or serial number of a device, or --all';
    throw new OperatorError([{ code: 'cli/missing-argument', message }]);
  }
  const raised = openRaisedDevices(shards.of(account), RETENTION);
  const scope: RaisedScope = { account, rule, mode: dryRun ? 'dry_run' : 'live' };
  const count = await raised.reset(scope, await devicesOf(raised, scope, device));
  if (count > 0)
    return `reset: ${count} ${count === 1 ? 'device' : 'devices'} of ${rule}; on_clear does not run`;
  const what = device === undefined ? 'no device is raised' : `device ${device} is not raised`;
  const message = `${what} by the rule "${rule}" in account "${account}"; "mdm-reflex raised list" lists the raised devices`;
  throw new OperatorError([{ code: 'cli/not-raised', message }]);
}

/** The ids of the named device; undefined for all devices. */
async function devicesOf(
  raised: RaisedDevices,
  { account, rule, mode }: RaisedScope,
  device: string | undefined,
): Promise<number[] | undefined> {
  if (device === undefined) return undefined;
  const lists = await raised.list();
  return lists
    .filter((list) => list.account === account && list.rule === rule && list.mode === mode)
    .flatMap(({ devices }) => devices)
    .filter(({ device: id, serialNumber }) => String(id) === device || serialNumber === device)
    .map(({ device: id }) => id);
}
