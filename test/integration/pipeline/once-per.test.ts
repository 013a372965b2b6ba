import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { listOnce, resetOnce } from '../../../src/cli/once.js';
import { openOnceClaims } from '../../../src/coordination/once-claims.js';
import { openRunLimits } from '../../../src/coordination/run-limits.js';
import type { Trace } from '../../../src/journal/trace.js';
import { openRunQueue } from '../../../src/queues/queues.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const world = useWorld();

const rules = (more = 'once_per: device', step = 'log: "welcome"'): string => `
rules:
  - id: welcome
    on: device.enrolled
    ${more}
    do: [{ ${step} }]
`;
const begin = (text = rules()): Promise<World> => world.start({ rules: text });

let webhooks = 0;

/** Posts an enrollment and waits until its runs have ended. */
async function enroll(device: { id: number; serial_number: string | null }): Promise<Trace> {
  webhooks += 1;
  const at = new Date(Date.UTC(2026, 0, 1) + webhooks * 1000).toISOString();
  await world.post({ type: 'device.enrolled', at, data: { device: { udid: null, ...device } } });
  return until('the event has ended', async () => {
    const trace = await world.settled('device.enrolled');
    return trace.at === at && trace;
  });
}

const RAN = [{ status: 'completed', steps: [{ status: 'completed' }] }];
const SKIPPED = [{ status: 'completed', code: 'run/already-ran', steps: [{ status: 'skipped' }] }];

/** A device of the simulator, with another id and with another serial number. */
const DEVICE = { id: 121, serial_number: 'DNFJE9DNG5MG' };

test('a device that enrolls again with a new id has its serial number, so the rule does not run again', async () => {
  await begin();
  const first = await enroll(DEVICE);
  expect(first.runs).toMatchObject(RAN);
  const second = await enroll({ ...DEVICE, id: 122 });
  expect(second.runs).toMatchObject(SKIPPED);
  expect(second.runs[0]?.reason).toContain(`(event ${first.id.slice(0, 12)})`);
  expect((await enroll({ id: 122, serial_number: 'C02ANOTHER01' })).runs).toMatchObject(RAN);
  // Known by its id until it reports a serial number.
  expect((await enroll({ id: 122, serial_number: null })).runs).toMatchObject(SKIPPED);
});

test('with a template, the rule runs once for each text; an empty one is an error, because nobody knows then', async () => {
  await begin(rules(`once_per: '{{ event.data.device.serial_number | slice: 0, 3 }}'`));
  expect((await enroll({ id: 121, serial_number: 'ABC1' })).runs).toMatchObject(RAN);
  const second = await enroll({ id: 122, serial_number: 'ABC2' });
  expect(second.runs).toMatchObject(SKIPPED);
  expect(second.runs[0]?.reason).toContain('"ABC"');
  expect(await enroll({ id: 123, serial_number: null })).toMatchObject({
    status: 'failed',
    decisions: [{ verdict: 'error', reason: expect.stringContaining('is empty for this event') }],
    runs: [],
  });
});

describe('a run claims the device only when it starts', () => {
  test('a dry run does not', async () => {
    const { env, service } = await begin(rules('once_per: device\n    mode: dry_run'));
    expect((await enroll(DEVICE)).runs).toMatchObject([{ status: 'completed', steps: [{}] }]);
    await writeFile(env['RULES_PATH'] ?? '', rules());
    await service.reloadRules();
    expect((await enroll(DEVICE)).runs).toMatchObject(RAN);
    expect((await enroll(DEVICE)).runs).toMatchObject(SKIPPED);
  });

  test('a run that is held and dropped does not', async () => {
    const { client } = await begin(rules('once_per: device\n    limit: { runs: 1, per: 1h }'));
    await enroll({ id: 11, serial_number: 'FIRST' });
    const held = enroll(DEVICE);
    const limits = openRunLimits(singleShard(client));
    await until('the rule is held', async () => (await limits.listHeld())[0]?.waitingRuns === 1);
    await limits.drop('default', 'welcome');
    // Runs of a held rule look for a decision every five seconds.
    const runs = openRunQueue(singleShard(client), { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 });
    world.beforeStop(() => runs.close());
    await Promise.all((await runs.getDelayed()).map((job) => job.promote()));
    expect((await held).runs).toMatchObject([{ status: 'failed', code: 'run/dropped' }]);
    expect(await openOnceClaims(singleShard(client)).list()).toMatchObject([
      { keys: ['id:11', 'serial:FIRST'] },
    ]);
    expect((await enroll(DEVICE)).runs).toMatchObject(RAN);
  });

  test('a run that fails does, and its replay continues', async () => {
    const { service, simulator } = await begin(
      rules('once_per: device', 'set_attribute: { name: department, value: x }'),
    );
    simulator.addFault({
      method: 'PUT',
      path: '/devices/121/custom_attribute_values/department',
      kind: 'status',
      status: 422,
      times: 1,
    });
    const failed = await enroll(DEVICE);
    expect(failed.status).toBe('failed');
    expect((await enroll(DEVICE)).runs).toMatchObject(SKIPPED);
    const response = await fetch(`${service.url}/api/events/${failed.id}/replay`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(response.status).toBe(202);
    await until('the failed run has completed', async () => {
      const shown = await fetch(`${service.url}/api/events/${failed.id}`, {
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
      });
      return (await shown.text()).includes('"status":"completed","rules"');
    });
    expect((await enroll(DEVICE)).runs).toMatchObject(SKIPPED);
  });
});

test('the command line lists the runs and lets a rule run again', async () => {
  const { client } = await begin();
  await enroll(DEVICE);
  expect(await listOnce(openShards(client), undefined, false)).toMatch(
    /default +welcome +serial number DNFJE9DNG5MG, device 121/,
  );
  const reset = { rule: 'welcome', account: 'default', device: undefined, key: undefined, all: false };
  await expect(resetOnce(openShards(client), reset)).rejects.toThrow(/expected one of --device/);
  await expect(resetOnce(openShards(client), { ...reset, device: '999' })).rejects.toThrow(
    /has not run for "999"/,
  );
  expect(await resetOnce(openShards(client), { ...reset, device: 'dnfje9dng5mg' })).toContain(
    'can run again',
  );
  expect(await listOnce(openShards(client), 'welcome', false)).toBe('no rule with once_per has run');
  // Both keys of the device are free.
  expect((await enroll({ ...DEVICE, serial_number: 'ANOTHER' })).runs).toMatchObject(RAN);
});
