import { setTimeout as delay } from 'node:timers/promises';
import { postAll } from '../load.js';
import { firstWriteFor, ms, percentiles, postEnrolled, startAccount, startSystem } from './system.js';
import type { System } from './system.js';

/** How the accounts are measured. */
export interface AccountOptions {
  readonly flood: number;
  readonly probes: number;
  readonly apiRate: number;
}

const RULES = `
rules:
  - id: welcome
    on: device.enrolled
    settle: 0s
    limit: { runs: 1000000, per: 1h }
    do: [set_attribute: { name: department, value: new }]
`;

const KINDS = [
  'flooded, no rule matches',
  'flooded, each event calls',
  'refuses connections',
  'hangs',
] as const;

/** Account A is flooded, or down and flooded: how long does an event of account B take until its first action is at the API? */
export async function measureAccounts(options: AccountOptions): Promise<string[][]> {
  const rows: string[][] = [];
  for (const kind of KINDS) rows.push(await measure(kind, options));
  return rows;
}

async function measure(
  kind: (typeof KINDS)[number],
  { flood, probes, apiRate }: AccountOptions,
): Promise<string[]> {
  const [a, b] = [await startAccount(), await startAccount()];
  // The simulated API takes 20 ms, as a close one would.
  b.addFault({ kind: 'slow', delayMs: 20 });
  if (kind === 'hangs') a.addFault({ kind: 'hang' });
  if (kind === 'refuses connections') await a.close();
  const system = await startSystem({ rules: RULES, accounts: { a: a.url, b: b.url }, apiRate });
  const devices = Array.from({ length: 2 * probes + 5 }, () => b.enroll({ kind: 'macbook' }).id);
  const probe = async (count: number): Promise<[number, number]> => {
    const waits: Promise<number>[] = [];
    for (let n = 0; n < count; n += 1) {
      const device = devices.pop() ?? 0;
      const at = Date.now();
      await postEnrolled(system, 'b', device);
      waits.push(firstWriteFor(b, device, 120_000).then((first) => first - at));
      await delay(150);
    }
    return percentiles(await Promise.all(waits));
  };
  try {
    // The first events compile what is compiled late.
    await probe(5);
    const before = await probe(probes);
    await floodAccount(
      system,
      kind === 'flooded, no rule matches' ? 'device.unenrolled' : 'device.enrolled',
      flood,
    );
    const during = await probe(probes);
    return [
      `A ${kind}`,
      ms(before[0]),
      ms(before[1]),
      ms(during[0]),
      ms(during[1]),
      (during[1] / before[1]).toFixed(2),
    ];
  } finally {
    await system.stop();
    if (kind !== 'refuses connections') await a.close();
    await b.close();
  }
}

/** Posts many events of account A. */
async function floodAccount({ url, token }: System, type: string, count: number): Promise<void> {
  const bodies = Array.from({ length: count }, (_, n) =>
    JSON.stringify({
      type,
      at: new Date(n).toISOString(),
      data: { device: { id: 1_000_000 + n, udid: `udid-${n}`, serial_number: `flood${n}` } },
    }),
  );
  const { refused } = await postAll(`${url}/webhooks/simplemdm/a/${token}`, bodies, 20);
  if (refused > 0) throw new Error(`${refused} webhooks were refused`);
}
