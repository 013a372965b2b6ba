import { describe, expect, test } from '@jest/globals';
import { createManualClock } from '../../../simulator/clock.js';
import { formatTrace } from '../../../src/cli/format-trace.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { openRunQueue, runId, wakeJob } from '../../../src/queues/queues.js';
import { until } from '../../support/until.js';
import { useSharedWorld } from '../../support/use-world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const RULES = `
rules:
  - id: macs
    on: device.enrolled
    if: device.platform == "macOS" && device.name.startsWith("Ada")
    do:
      - assign_device_group: { group: Laptops }
      - log: { message: "{{ device.model_name }}" }
  - id: without-slack
    on: device.enrolled
    if: '!apps.exists(a, a.name == "Slack")'
    do: [log: { message: no Slack }]
  - id: with-slack
    on: device.enrolled
    if: 'apps.exists(a, a.name == "Slack")'
    do: [log: { message: Slack }]
  - id: no-model-yet
    on: device.enrolled
    if: device.model_name == null
    do: [log: { message: no model yet }]
  - id: at-once
    on: device.enrolled
    settle: 0
    if: device.platform == "macOS"
    do: [log: { message: a Mac }]
  - id: impatient
    on: device.enrolled
    settle: 1s
    if: device.os_version == "15.1"
    do: [log: { message: "15.1" }]
  - id: script
    on: device.enrolled
    do: [run_script: Say hi]
  - id: greet
    on: device.enrolled
    do:
      - log: { message: "{{ event.data.device.id }} enrolled" }
      - log: { message: "welcome {{ device.name }}" }
      - log: { message: "{{ item.name }}" }
        for_each: apps.filter(a, a.name == "Slack")
  - id: trial
    on: device.enrolled
    mode: dry_run
    if: device.is_supervised
    do: [assign_device_group: { group: Laptops }]
  - id: locked
    on: device.lock.enabled
    do: [log: { message: locked }]
  - id: left
    on: device.unenrolled
    do: [log: { message: left }]
  - id: checks-in
    on: acme.check
    do:
      - wait: { until: 'device.os_version == "15.1"', every: 15s, timeout: 2h }
        id: seen
      - log: { message: "after {{ steps.seen.looks }} looks" }
`;

/** From an enrollment until the device has reported everything, on the clock of the simulator. */
const INVENTORY_MS = 60_000;

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };

const clock = createManualClock(new Date());
const world = useSharedWorld({
  rules: RULES,
  simulator: { clock, delays: { inventoryMs: INVENTORY_MS } },
  env: { INVENTORY_LOOKS_MS: '30,60,120' },
});

/** The trace of the newest event of a type about a device, once it is as expected. */
function traceOf(device: number, type: string, what: string, is: (trace: Trace) => boolean): Promise<Trace> {
  return until(`${type} of ${device}: ${what}`, async () => {
    const { events } = await findEvents(openShards(world.client), { type, device: String(device), limit: 1 });
    const trace = events[0] && (await findTrace(openShards(world.client), events[0].id));
    return trace !== undefined && is(trace) ? trace : undefined;
  });
}

const verdicts = ({ decisions }: Trace): Record<string, string> =>
  Object.fromEntries(decisions.map(({ rule, verdict }) => [rule, verdict]));

const isDecided = (trace: Trace): boolean =>
  trace.decisions.length > 0 && trace.decisions.every(({ verdict }) => verdict !== 'waiting');

const waiting = (device: number): Promise<Trace> =>
  traceOf(
    device,
    'device.enrolled',
    'it waits after two looks',
    ({ processing, decisions }) =>
      processing?.state === 'waiting' && decisions.some(({ inventory }) => (inventory?.looks ?? 0) >= 2),
  );

const completed = (device: number): Promise<Trace> =>
  traceOf(
    device,
    'device.enrolled',
    'completed',
    (trace) => trace.status === 'completed' && isDecided(trace),
  );

const moves = (device: number): string[] =>
  world.calls().filter((call) => call === `POST /device_groups/41/devices/${device}`);

const messages = (trace: Trace, rule: string): unknown[] =>
  trace.runs.find((run) => run.rule === rule)?.steps.map(({ output }) => output?.['message']) ?? [];

describe('a device that has not reported its inventory yet', () => {
  test('a rule acts once, when the inventory arrives; other rules go on; the trace says what the event waits for', async () => {
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Ada 1' });
    const early = await waiting(id);
    expect(early.status).toBe('waiting');
    expect(verdicts(early)).toMatchObject({
      macs: 'waiting',
      'with-slack': 'waiting',
      // Unknown is never no.
      'without-slack': 'waiting',
      'no-model-yet': 'matched',
      'at-once': 'not_matched',
      greet: 'matched',
      trial: 'waiting',
    });
    expect(early.decisions.find(({ rule }) => rule === 'macs')).toMatchObject({
      reason: expect.stringMatching(/^waiting for inventory: platform, name, since 2\S+Z, next look 2\S+Z$/),
      code: 'event/inventory-pending',
      inventory: { missing: ['platform', 'name'] },
    });
    expect(formatTrace(early, (_style, text) => text)).toMatch(
      /… waiting +macs +waiting for inventory: platform, name, since/,
    );
    const greeted = await traceOf(id, 'device.enrolled', 'the second step waits', ({ runs }) =>
      runs.some(({ steps }) => steps[1]?.status === 'waiting'),
    );
    const script = (trace: Trace) => trace.runs.find(({ rule }) => rule === 'script')?.steps[0];
    await traceOf(id, 'device.enrolled', 'the script waits for the platform', (trace) =>
      (script(trace)?.reason ?? '').startsWith('waiting for inventory: platform'),
    );
    const [first, second, third] = greeted.runs.find(({ rule }) => rule === 'greet')?.steps ?? [];
    expect(first?.status).toBe('completed');
    expect(second?.reason).toMatch(/^waiting for inventory: name, since .*, next look /);
    expect(third?.status).toBe('pending');
    expect(moves(id)).toEqual([]);
    expect(await world.metric('mdm_reflex_events_waiting_for_inventory')).toBe(1);
    // During a look, the event is processing.
    await until('the list of waiting events has the event', async () => {
      const { events } = await findEvents(openShards(world.client), {
        device: String(id),
        status: 'waiting',
        limit: 1,
      });
      return events[0]?.reason?.includes('waiting for inventory:');
    });

    clock.advance(INVENTORY_MS);
    const late = await completed(id);
    expect(verdicts(late)).toMatchObject({
      macs: 'matched',
      'with-slack': 'matched',
      'without-slack': 'not_matched',
      // Decided before, and never again.
      'no-model-yet': 'matched',
      'at-once': 'not_matched',
      trial: 'matched',
    });
    expect(late.decisions.find(({ rule }) => rule === 'macs')?.reason).toMatch(
      / is true; waited \d+ s for inventory: platform, name$/,
    );
    expect(moves(id)).toHaveLength(1);
    expect(messages(late, 'macs')).toEqual([undefined, 'MacBook Pro (14-inch, Nov 2023)']);
    expect(messages(late, 'greet')).toEqual([`${id} enrolled`, 'welcome Ada 1', undefined]);
    expect(late.runs.find(({ rule }) => rule === 'greet')?.steps[2]?.output).toMatchObject({ count: 1 });
    expect(late.runs.find(({ rule }) => rule === 'greet')?.steps[1]?.attempts).toBe(1);
    expect(script(late)?.status).toBe('completed');
    expect(late.facts['device']?.value).toMatchObject({ name: 'Ada 1' });
    expect(late.processing?.attempts).toBe(1);
    expect(await world.metric('mdm_reflex_events_waiting_for_inventory')).toBe(0);
    expect(await world.metric('mdm_reflex_inventory_waits_total{kind="event"}')).toBe(1);
    expect(await world.metric('mdm_reflex_inventory_waits_total{kind="step"}')).toBe(2);
  });

  test('a rule decides with what there is when settle is over', async () => {
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Eve' });
    const trace = await traceOf(id, 'device.enrolled', 'the impatient rule has decided', (found) =>
      found.decisions.some(({ rule, verdict }) => rule === 'impatient' && verdict === 'not_matched'),
    );
    expect(trace.decisions.find(({ rule }) => rule === 'impatient')?.reason).toBe(
      'device.os_version == "15.1" is not true: device.os_version is null; os_version did not arrive within settle (1s)',
    );
    expect(verdicts(trace)).toMatchObject({ macs: 'waiting' });
    clock.advance(INVENTORY_MS);
    expect(verdicts(await completed(id))).toMatchObject({ macs: 'not_matched', impatient: 'not_matched' });
  });

  test('later events of the device go on meanwhile, and a device that leaves is waited for no longer', async () => {
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Ada 2' });
    await waiting(id);
    world.simulator.lock(id);
    await traceOf(id, 'device.lock.enabled', 'completed', ({ status }) => status === 'completed');
    expect(verdicts(await waiting(id))).toMatchObject({ macs: 'waiting' });
    world.simulator.unenroll(id);
    await traceOf(id, 'device.unenrolled', 'completed', ({ status }) => status === 'completed');
    const trace = await completed(id);
    expect(verdicts(trace)).toMatchObject({
      macs: 'not_matched',
      'with-slack': 'not_matched',
      trial: 'not_matched',
    });
    expect(moves(id)).toEqual([]);
  });

  test('a wait survives a restart and an outage of the API during a look', async () => {
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Ada 3' });
    const early = await waiting(id);
    await world.restartService();
    world.simulator.addFault({
      method: 'GET',
      path: `/devices/${id}`,
      kind: 'status',
      status: 503,
      times: 6,
    });
    clock.advance(INVENTORY_MS);
    const late = await completed(id);
    expect(verdicts(late)).toMatchObject({
      macs: 'matched',
      'no-model-yet': 'matched',
      'at-once': 'not_matched',
    });
    expect(moves(id)).toHaveLength(1);
    const decidedAt = (trace: Trace): unknown =>
      trace.decisions.find(({ rule }) => rule === 'no-model-yet')?.decidedAt;
    expect(decidedAt(late)).toBe(decidedAt(early));
  });
});

describe('wait until', () => {
  test('looks again with fresh facts until the condition is true', async () => {
    const { id } = world.simulator.enroll({ kind: 'macbook', name: 'Ada 4', webhook: false });
    await world.post({ type: 'acme.check', data: { device: { id } } });
    const early = await traceOf(
      id,
      'acme.check',
      'the step waits',
      ({ runs }) => runs[0]?.steps[0]?.status === 'waiting',
    );
    expect(early.runs[0]?.steps[0]).toMatchObject({
      output: { looks: 1 },
      reason: expect.stringMatching(
        /^waits until device.os_version == "15.1": .*device.os_version is null, next look 2/,
      ),
    });
    clock.advance(INVENTORY_MS);
    const queue = openRunQueue(singleShard(world.client), RETENTION);
    // The next look is due in 15 seconds.
    await wakeJob(queue, runId(early.id, 'checks-in'));
    const late = await traceOf(id, 'acme.check', 'completed', ({ status }) => status === 'completed');
    await queue.close();
    expect(messages(late, 'checks-in')).toEqual([undefined, 'after 2 looks']);
  });
});
