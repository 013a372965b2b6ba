/**
 * Measures how long an idle system takes from a webhook to the first action at the API, without the round trips to the API itself: one
 * webhook at a time, to one `serve` process, with an API that answers after some milliseconds. The rule reads the device first.
 *
 *   npm run build && npm run bench:reaction -- --webhooks 200 --delay 20
 */
import { hrtime } from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { startRedis } from './own-redis.js';
import { endProcesses, forkServer, ruleFile, serviceEnv, startRole, webhookUrl } from './processes.js';
import { unfinishedWork, untilDone } from './queue-state.js';
import { percentile, print, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    webhooks: { type: 'string', default: '200' },
    /** How long the API takes to answer, in milliseconds. */
    delay: { type: 'string', default: '20' },
  },
});
const webhooks = Number(values.webhooks);
const WARM_UP = 20;

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.name != ""
    do: [assign_device_group: { group: 41 }]
`;

const reported = z.object({ method: z.string(), path: z.string(), arrivedAt: z.string() });
const redis = await startRedis();
const rules = await ruleFile(RULES);
try {
  const api = await forkServer('bare-api', { API_DELAY_MS: values.delay, REPORT_CALLS: '1' });
  const service = await startRole('serve', serviceEnv({ redis: redis.url, rules: rules.path, api: api.url }));
  const left = unfinishedWork(redis.client);

  /** Sends one webhook. Returns when it was sent, when it was accepted, and when its two calls arrived at the API, in milliseconds. */
  const react = async () => {
    const calls: { method: string; at: number }[] = [];
    let done = (): void => undefined;
    const acted = new Promise<void>((resolve) => (done = resolve));
    const listen = (message: unknown): void => {
      const call = reported.safeParse(message).data;
      if (call === undefined) return;
      calls.push({ method: call.method, at: Number(BigInt(call.arrivedAt)) / 1e6 });
      if (call.method === 'POST') done();
    };
    api.child.on('message', listen);
    const sentAt = Number(hrtime.bigint()) / 1e6;
    const { refused } = await postAll(webhookUrl(service), [enrollment('C02')], 1);
    if (refused > 0) throw new Error('the webhook was refused');
    const acceptedAt = Number(hrtime.bigint()) / 1e6;
    await acted;
    api.child.off('message', listen);
    const readAt = calls.find(({ method }) => method === 'GET')?.at ?? NaN;
    const actedAt = calls.find(({ method }) => method === 'POST')?.at ?? NaN;
    await untilDone(left);
    return { accepted: acceptedAt - sentAt, read: readAt - sentAt, acted: actedAt - sentAt };
  };

  // How long a read takes without the service: the delay of the API and its timer.
  const roundTrips: number[] = [];
  for (let index = 0; index < 50; index += 1) {
    const startedAt = performance.now();
    await (await fetch(`${api.url}/api/v1/devices/1`)).text();
    if (index >= 10) roundTrips.push(performance.now() - startedAt);
  }
  const roundTrip = percentile(roundTrips, 0.5);

  const measured: Awaited<ReturnType<typeof react>>[] = [];
  for (let index = 0; index < webhooks + WARM_UP; index += 1) {
    const reaction = await react();
    if (index >= WARM_UP) measured.push(reaction);
  }
  const row = (name: string, figures: readonly number[]): string[] => [
    name,
    percentile(figures, 0.5).toFixed(1),
    percentile(figures, 0.99).toFixed(1),
  ];
  print(
    `${webhooks} webhooks, one at a time; the API answers a read in ${roundTrip.toFixed(1)} ms; Node ${process.version}`,
  );
  print(
    table([
      ['from sending the webhook to', 'p50 ms', 'p99 ms'],
      row(
        '202',
        measured.map(({ accepted }) => accepted),
      ),
      row(
        'the read of the device at the API',
        measured.map(({ read }) => read),
      ),
      row(
        'the action at the API',
        measured.map(({ acted }) => acted),
      ),
      row(
        'the action, without the round trip of the read',
        measured.map(({ acted }) => acted - roundTrip),
      ),
    ]),
  );
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
