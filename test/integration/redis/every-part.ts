import { expect } from '@jest/globals';
import { startServiceOn, ACCOUNTS } from '../../support/service-on.js';
import type { ServiceOn } from '../../support/service-on.js';
import { until } from '../../support/until.js';

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.platform == "macOS"
    do: [assign_device_group: { group: Laptops }]
  - id: few
    on: device.enrolled
    limit: { runs: 1, per: 1h }
    do: [{ log: hello }]
  - id: weekly
    on: { schedule: "0 8 * * 1", for_each: devices }
    if: device.id == 121
    do: [{ log: hello }]
`;

const enrolled = (device: { readonly id: number; readonly serialNumber: string }): object => ({
  type: 'device.enrolled',
  at: new Date().toISOString(),
  data: { device: { id: device.id, serial_number: device.serialNumber } },
});

/** How often a device was put into the group. */
function assignments({ simulator }: ServiceOn, id: number): number {
  return simulator
    .calls()
    .filter((call) => call.method === 'POST' && call.path === `/device_groups/41/devices/${id}`).length;
}

/** Uses every part of the service that has keys in Redis, for accounts in several shards. */
export async function useEveryPart(redisUrl: string): Promise<void> {
  const world = await startServiceOn(redisUrl, RULES);
  try {
    const devices = new Map<string, { readonly id: number; readonly serialNumber: string }[]>();
    for (const account of ACCOUNTS) {
      const own = [1, 2].map(() => world.simulator.enroll({ kind: 'macbook', webhook: false }));
      devices.set(account, own);
      for (const device of own) {
        const webhook = enrolled(device);
        expect(await world.post(account, webhook)).toBe(202);
        expect(await world.post(account, webhook)).toBe(202);
      }
    }
    const all = [...devices.values()].flat();
    await until('each device is in its group', () => all.every(({ id }) => assignments(world, id) === 1));

    // The limit holds the second run of each account.
    await until('each account has a held rule', async () => {
      const held = await world.cli('held', 'list');
      return ACCOUNTS.every((account) => held.includes(account));
    });
    for (const account of ACCOUNTS) await world.cli('held', 'release', 'few', '--account', account);
    await until('every event is completed', async () => {
      const list = await world.cli('events', '--status', 'completed', '--type', 'device.enrolled', '--json');
      return all.every(({ serialNumber }) => list.includes(serialNumber));
    });

    // One event: by its id, its account, its device; again as a new event.
    const [first] = devices.get('initech') ?? [];
    const found = await world.cli(
      'events',
      '--account',
      'initech',
      '--device',
      first?.serialNumber ?? '',
      '--json',
    );
    const id = /"id": ?"([0-9a-f]{64})"/.exec(found)?.[1] ?? '';
    expect(await world.cli('events', 'show', id.slice(0, 12))).toContain('✔ matched  laptops');
    await world.cli('events', 'replay', id, '--everything');
    await until('the replay has assigned again', () => assignments(world, first?.id ?? 0) === 2);

    // A schedule sweeps every account.
    await until('the schedule is there', async () => (await world.cli('schedules')).includes('weekly'));
    await world.cli('schedules', 'run', 'weekly', ...(await confirmation(world)));
    await until('each account was swept', async () => {
      const swept = await world.cli('events', '--rule', 'weekly', '--json', '--limit', '100');
      return ACCOUNTS.every(
        (account) => swept.includes(`"account": "${account}"`) || swept.includes(`"account":"${account}"`),
      );
    });

    // What belongs to no account.
    await world.cli('silence', 'add', '--match', 'rule=laptops', '--for', '1h', '--comment', 'maintenance');
    expect(await world.cli('silence', 'list')).toContain('maintenance');
    for (const command of [
      ['alerts', 'list'],
      ['approvals', 'list'],
      ['raised', 'list'],
      ['once', 'list'],
      ['channels', 'list'],
    ])
      await world.cli(...command);
    for (const path of ['/api/events', `/api/events/${id}`, '/api/status', '/api/rules', '/api/alerts'])
      await world.api(path);
    expect(JSON.stringify(await world.api('/api/rules'))).toContain('weekly');
    expect(world.log()).not.toMatch(/CROSSSLOT|MOVED/);
  } finally {
    await world.stop();
  }
}

/** `schedules run` asks before it sweeps many devices, unless it is told not to. */
async function confirmation(world: ServiceOn): Promise<string[]> {
  return (await world.cli('schedules', 'run', '--help')).includes('--yes') ? ['--yes'] : [];
}

const FAIL_OVER_RULES = `
rules:
  - id: laptops
    on: device.enrolled
    do: [assign_device_group: { group: Laptops }]
`;

/**
 * Posts webhooks of all accounts, as senders do that repeat after a 503, and takes the master away in the middle. Every webhook that got 202
 * must have had its effect, exactly once.
 */
export async function failOverUnderLoad(
  redisUrl: string,
  failOver: () => Promise<void>,
  webhooks = Number(process.env['FAILOVER_WEBHOOKS'] ?? 160),
): Promise<void> {
  const world = await startServiceOn(redisUrl, FAIL_OVER_RULES);
  try {
    const devices = Array.from({ length: webhooks }, () =>
      world.simulator.enroll({ kind: 'macbook', webhook: false }),
    );
    let accepted = 0;
    const send = async (index: number): Promise<void> => {
      const device = devices[index];
      if (device === undefined) return;
      const webhook = enrolled(device);
      await until(`webhook ${index} is accepted`, async () => {
        const status = await world.post(ACCOUNTS[index % ACCOUNTS.length] ?? '', webhook);
        expect([202, 503]).toContain(status);
        return status === 202;
      });
      accepted += 1;
    };
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < webhooks) await send(next++);
    };
    const failing = until('a part is accepted', () => accepted >= webhooks / 4).then(failOver);
    await Promise.all([failing, ...Array.from({ length: 6 }, sender)]);
    expect(accepted).toBe(webhooks);
    await until('each accepted webhook had its effect', () =>
      devices.every(({ id }) => assignments(world, id) >= 1),
    );
    await until('the service is ready again', async () => (await world.ready()) === 200);
    await until('every event is completed', async () => {
      const counts = await world
        .cli('events', '--status', 'queued,processing,waiting', '--json')
        .catch(() => '[');
      return !counts.includes('device.enrolled');
    });
    const doubled = devices.filter(({ id }) => assignments(world, id) > 1);
    expect(doubled.map(({ id }) => id)).toEqual([]);
  } finally {
    await world.stop();
  }
}
