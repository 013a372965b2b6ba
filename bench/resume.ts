/**
 * Kills a worker process with SIGKILL in the middle of an API call and prints how long another worker process takes to resume the step,
 * with the default settings.
 *
 *   npm run build && npm run bench:resume -- --rounds 5
 */
import { hrtime } from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { enrollment } from './enrollments.js';
import { postAll } from './load.js';
import { startRedis } from './own-redis.js';
import { endProcesses, forkServer, ruleFile, serviceEnv, startRole, webhookUrl } from './processes.js';
import type { BenchProcess } from './processes.js';
import { unfinishedWork, untilDone } from './queue-state.js';
import { print, spread } from './statistics.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** The setting JOB_LOCK_MS; the default of the service when not given. */
    lock: { type: 'string' },
  },
});

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    do: [assign_device_group: { group: 41 }]
`;
/** Longer than a worker process takes to start, so that the other one dies during its call. */
const CALL_MS = '10000';

const reported = z.object({ method: z.literal('POST'), arrivedAt: z.string() });

/** Resolves with the time of the next action at the API, in milliseconds. */
function nextAction({ child }: BenchProcess): Promise<number> {
  return new Promise((resolve) => {
    const listen = (message: unknown): void => {
      const call = reported.safeParse(message).data;
      if (call === undefined) return;
      child.off('message', listen);
      resolve(Number(BigInt(call.arrivedAt)) / 1e6);
    };
    child.on('message', listen);
  });
}

const redis = await startRedis();
const rules = await ruleFile(RULES);
try {
  const api = await forkServer('bare-api', { API_WRITE_DELAY_MS: CALL_MS, REPORT_CALLS: '1' });
  const env = {
    ...serviceEnv({ redis: redis.url, rules: rules.path, api: api.url }),
    ...(values.lock !== undefined && { JOB_LOCK_MS: values.lock }),
  };
  const receiver = await startRole('receiver', env);
  const left = unfinishedWork(redis.client);
  const seconds: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const doomed = await startRole('worker', env);
    const started = nextAction(api);
    const { refused } = await postAll(webhookUrl(receiver), [enrollment('C02')], 1);
    if (refused > 0) throw new Error('the webhook was refused');
    await started;
    const heir = await startRole('worker', env);
    const resumed = nextAction(api);
    if ((await left()) === 0) throw new Error('the call ended before the worker was killed');
    const killedAt = Number(hrtime.bigint()) / 1e6;
    await doomed.kill();
    seconds.push(((await resumed) - killedAt) / 1000);
    await untilDone(left);
    await heir.kill();
  }
  print(
    `from kill -9 to the repeated call of another worker: ${spread(seconds, 1)} s, ${values.rounds} rounds; Node ${process.version}`,
  );
} finally {
  await endProcesses();
  await redis.stop();
  await rules.remove();
}
