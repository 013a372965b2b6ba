/**
 * Lists 100,000 devices with the client, against a simulator in its own process, and prints time, calls and memory. The baseline
 * reads the same pages with `fetch` and `JSON.parse` and uses only the ids.
 *
 * npm run build && npm run bench:list-devices
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createSimpleMdm } from '../src/simplemdm/index.js';

const devices = Number(process.argv[2] ?? 100_000);
const apiKey = 'key-of-the-benchmark';

const child = spawn(
  process.execPath,
  [
    fileURLToPath(new URL('../simulator/main.js', import.meta.url)),
    ...['--api-key', apiKey, '--devices', String(devices), '--seed', '7'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const baseUrl = await new Promise<string>((resolve, reject) => {
  createInterface(child.stdout).once('line', (line) => {
    const url = /http:\S+\/api\/v1/.exec(line)?.[0];
    if (url === undefined) reject(new Error(`the simulator did not start: ${line}`));
    else resolve(url);
  });
});

/** The peak memory of a process in megabytes. */
function peakMemory(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

async function timed(task: () => Promise<number>): Promise<{ seconds: number; count: number }> {
  const startedAt = performance.now();
  const count = await task();
  return { count, seconds: (performance.now() - startedAt) / 1000 };
}

let calls = 0;
const api = createSimpleMdm({
  apiKey,
  baseUrl,
  rate: { perSecond: 100_000, burst: 100_000 },
  onCall: () => (calls += 1),
});

async function byClient(): Promise<number> {
  let count = 0;
  for await (const device of api.devices.list()) if (device.attributes.name !== undefined) count += 1;
  return count;
}

/** The fields that paging needs. */
const pageSchema = z.object({ data: z.array(z.object({ id: z.number() })), has_more: z.boolean() });

async function byFetch(): Promise<number> {
  const headers = { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` };
  let count = 0;
  for (let after = 0, more = true; more;) {
    const response = await fetch(`${baseUrl}/devices?limit=100&starting_after=${after}`, { headers });
    const page = pageSchema.parse(JSON.parse(await response.text()));
    count += page.data.length;
    after = page.data.at(-1)?.id ?? 0;
    more = page.has_more;
  }
  return count;
}

try {
  const client = await timed(byClient);
  const clientMemory = peakMemory(undefined);
  const bare = await timed(byFetch);
  const lines = [
    `client: ${client.count} devices in ${client.seconds.toFixed(1)} s, ${calls} calls, peak memory ${clientMemory} MB`,
    `bare fetch: ${bare.count} devices in ${bare.seconds.toFixed(1)} s`,
    `ratio: ${(client.seconds / bare.seconds).toFixed(2)} times the duration of bare fetch`,
    `simulator: peak memory ${peakMemory(child.pid)} MB`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  child.kill('SIGTERM');
}
