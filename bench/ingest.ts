/**
 * Measures accepted webhooks per second and latency: the receiver against (a) the simplest Express handler that awaits `queue.add`
 * and (b) a bare `node:http` server that returns 202. The three processes share a Redis and take turns in every round, so that the
 * ratios stay valid when the speed of the machine changes. All figures are medians over the rounds. In the end it checks what the receiver
 * guarantees and the baselines do not: each accepted webhook is one job and one trace, repeats are dropped, a wrong token gets 401.
 *
 *   npm run build && npm run bench:ingest -- --requests 3000 --connections 50 --rounds 5
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { postAll } from './load.js';
import type { Round } from './load.js';
import { startRedis } from './own-redis.js';
import { print, spread } from './statistics.js';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '3000' },
    connections: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '5' },
  },
});
const requests = Number(values.requests);
const connections = Number(values.connections);
const rounds = Number(values.rounds);

const SERVERS = ['receiver', 'plain-express', 'bare-http'] as const;
type Server = (typeof SERVERS)[number];

let counter = 0;
/** Webhooks of as many devices, whose ids follow the given one. */
const bodiesFrom = (before: number): string[] =>
  Array.from({ length: requests }, (_, index) => {
    const id = before + index + 1;
    return JSON.stringify({
      type: 'device.enrolled',
      at: '2026-01-01T12:00:00.000-07:00',
      data: {
        device: { id, udid: '99919788-340F-40C3-A3F0-E54421B7A6FD', serial_number: `C02${id}` },
      },
    });
  });
const bodies = (): string[] => {
  counter += requests;
  return bodiesFrom(counter - requests);
};

async function guarantees(url: string): Promise<string> {
  const { client } = redis;
  const queue = new Queue('events', { connection: client, prefix: 'mdm-reflex' });
  const kept = async () => {
    const { waiting = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'delayed');
    return { jobs: waiting + delayed, traces: await client.zcard('mdm-reflex:journal:ids') };
  };
  const accepted = requests * (rounds + 1);
  const before = await kept();
  const repeated = bodiesFrom(counter - requests * SERVERS.length);
  const { refused } = await postAll(url, repeated, connections);
  const after = await kept();
  const wrong = await fetch(`${url}x`, { method: 'POST', body: '{}' });
  await queue.close();
  return `guarantees: ${accepted} webhooks accepted, ${before.jobs} jobs, ${before.traces} traces; ${repeated.length - refused} repeats accepted, ${after.jobs - before.jobs} jobs more; wrong token: ${wrong.status}`;
}

const redis = await startRedis();
const env = {
  ...process.env,
  REDIS_URL: redis.url,
  WEBHOOK_TOKEN: randomBytes(24).toString('hex'),
  ADMIN_TOKEN: randomBytes(24).toString('hex'),
};
const children = SERVERS.map((name) =>
  fork(fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url)), {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  }),
);
try {
  const urls = await Promise.all(children.map(async (child) => String((await once(child, 'message'))[0])));
  const results = new Map<Server, Round[]>(SERVERS.map((name) => [name, []]));
  print(
    `${requests} webhooks per round, ${connections} connections, ${rounds} rounds after one warm-up; Node ${process.version}`,
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, name] of SERVERS.entries()) {
      const measured = await postAll(urls[index] ?? '', bodies(), connections);
      if (measured.refused > 0) throw new Error(`${name} refused ${measured.refused} webhooks`);
      if (round > 0) results.get(name)?.push(measured);
    }
  }
  const of = (name: Server, figure: keyof Round): number[] =>
    (results.get(name) ?? []).map((round) => round[figure]);
  print('server         accepted/s (min-max)       p50 ms            p99 ms');
  for (const name of SERVERS) {
    print(
      `${name.padEnd(15)}${spread(of(name, 'perSecond'), 0).padEnd(27)}${spread(of(name, 'p50'), 1).padEnd(18)}${spread(of(name, 'p99'), 1)}`,
    );
  }
  for (const baseline of ['plain-express', 'bare-http'] as const) {
    const ratio = (figure: keyof Round): number[] =>
      of('receiver', figure).map((value, index) => value / (of(baseline, figure)[index] ?? NaN));
    print(
      `receiver / ${baseline}: accepted ${spread(ratio('perSecond'), 2)}, p50 ${spread(ratio('p50'), 2)}, p99 ${spread(ratio('p99'), 2)}`,
    );
  }
  print(await guarantees(urls[SERVERS.indexOf('receiver')] ?? ''));
} finally {
  for (const child of children) child.kill('SIGKILL');
  await redis.stop();
}
