import { z } from 'zod';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import { foldedText, indexValue } from './index-entries.js';
import { indexKey, journalPrefix } from './trace-keys.js';

/** The devices that a text names. */
export type NamedDevices =
  /** The names of their indexes. */
  | { readonly kind: 'indexes'; readonly names: readonly string[] }
  /** Too many to walk their indexes: the folded text that each of them is called by. */
  | { readonly kind: 'many'; readonly text: string };

/** More devices than this are not walked one by one. */
const MAX_DEVICES = 500;

/** How many devices a script looks at, which takes Redis about a millisecond. */
const DEVICES_PER_SCRIPT = 1000;

/** KEYS: a key of the shard. ARGV: prefix, cursor, count, folded text. */
const SCAN = defineScript(`
local reply = redis.call('HSCAN', ARGV[1] .. 'devices', ARGV[2], 'COUNT', ARGV[3])
local found = {}
for i = 1, #reply[2], 2 do
  if string.find(reply[2][i + 1], ARGV[4], 1, true) then found[#found + 1] = reply[2][i] end
end
return { reply[1], found }`);

const scanReply = z.tuple([z.string(), z.array(z.string())]);

/**
 * The devices with kept events that have a text as their id or serial number. Case makes no difference.
 *
 * @param accounts - Where to look, encoded as in names of indexes.
 * @returns Each with its account, as in names of indexes.
 */
export async function findExactDevices(
  shard: Shard,
  text: string,
  accounts: readonly string[],
): Promise<string[]> {
  const { redis, prefix } = shard;
  const folded = foldedText(text);
  const serials = await redis.hget(`${journalPrefix(prefix)}serials`, folded);
  const exact = [
    ...(await existing(
      shard,
      accounts.map((account) => `${account}:${indexValue(text.trim())}`),
    )),
    ...(serials ?? '').split('\t').filter((device) => device !== ''),
  ];
  return [...new Set(exact)].filter((device) => isInAccounts(device, accounts));
}

/**
 * The devices with kept events that a text names: by id or serial number when there is one, else by a part of the serial number, the
 * UDID, or a name. Case makes no difference.
 *
 * @param accounts - Where to look, encoded as in names of indexes.
 * @param onlyExact - Whether another shard has a device with this id or serial number, so that parts do not count here either.
 */
export async function findDevices(
  shard: Shard,
  text: string,
  accounts: readonly string[],
  onlyExact: boolean,
): Promise<NamedDevices> {
  const { redis, prefix } = shard;
  const folded = foldedText(text);
  const names = (devices: Iterable<string>): NamedDevices => ({
    kind: 'indexes',
    names: [...devices].map((device) => `device:${device}`),
  });
  const exact = await findExactDevices(shard, text, accounts);
  if (onlyExact || exact.length > 0 || folded === '') return names(exact);
  const found = new Set<string>();
  let cursor = '0';
  do {
    const values = [journalPrefix(prefix), cursor, DEVICES_PER_SCRIPT, folded];
    const [next, devices] = scanReply.parse(
      await runScript(redis, SCAN, [`${journalPrefix(prefix)}devices`], values),
    );
    for (const device of devices) if (isInAccounts(device, accounts)) found.add(device);
    if (found.size > MAX_DEVICES) return { kind: 'many', text: folded };
    cursor = next;
  } while (cursor !== '0');
  return names(found);
}

function isInAccounts(device: string, accounts: readonly string[]): boolean {
  return accounts.some((account) => device.startsWith(`${account}:`));
}

async function existing({ redis, prefix }: Shard, devices: readonly string[]): Promise<string[]> {
  const counts = await Promise.all(
    devices.map((device) => redis.exists(indexKey(prefix, `device:${device}`))),
  );
  return devices.filter((_device, index) => counts[index] === 1);
}
