import { setTimeout as delay } from 'node:timers/promises';
import { firstWriteFor, ms, percentiles, startAccount, startSystem, waitUntil, writes } from './system.js';

/** How the sweep is measured. */
export interface SweepOptions {
  readonly devices: number;
  readonly apiRate: number;
  readonly enrollments: number;
  readonly everyMs: number;
}

const RULES = `
rules:
  - id: sweep
    on: { schedule: "0 0 1 1 *", for_each: devices }
    limit: { runs: 1000000, per: 1h }
    do:
      - set_attribute: { name: department, value: one }
      - set_attribute: { name: department, value: two }
      - set_attribute: { name: department, value: three }
  - id: welcome
    on: device.enrolled
    settle: 0s
    limit: { runs: 1000000, per: 1h }
    do: [set_attribute: { name: department, value: new }]
`;
const PATIENCE_MS = 600_000;

/** A sweep calls the API for each device while devices enroll: how long until the first action for a new device is at the API? */
export async function measureSweep(options: SweepOptions): Promise<string[][]> {
  const { devices, apiRate, enrollments, everyMs } = options;
  const simulator = await startAccount(devices);
  const system = await startSystem({ rules: RULES, accounts: { a: simulator.url }, apiRate });
  simulator.setWebhook({ url: `${system.url}/webhooks/simplemdm/a`, token: system.token });
  const enroll = async (pauseMs: number): Promise<number[]> => {
    const waits: Promise<number>[] = [];
    for (let n = 0; n < enrollments; n += 1) {
      const { id } = simulator.enroll({ kind: 'macbook' });
      const at = Date.now();
      waits.push(firstWriteFor(simulator, id, PATIENCE_MS).then((first) => first - at));
      await delay(pauseMs);
    }
    return Promise.all(waits);
  };
  try {
    const idle = percentiles(await enroll(300));
    await delay(2000);
    const before = writes(simulator).length;
    await system.tick('sweep');
    await waitUntil(() => writes(simulator).length >= before + 20, 120_000);
    const startedAt = Date.now();
    const during = percentiles(await enroll(everyMs));
    const bulkCalls = writes(simulator).length - before - enrollments;
    const share = bulkCalls / ((Date.now() - startedAt) / 1000);
    return [
      ['idle', ms(idle[0]), ms(idle[1]), '', ''],
      [
        `a sweep of ${devices} devices, 3 calls each`,
        ms(during[0]),
        ms(during[1]),
        `+${ms(Math.max(during[1] - idle[1], 0))}`,
        `the sweep made ${share.toFixed(1)} calls/s meanwhile`,
      ],
    ];
  } finally {
    await system.stop();
    await simulator.close();
  }
}
