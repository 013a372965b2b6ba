import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';

const world = useWorld();

/** Rules for events of three types: one matches nothing, one logs, one assigns the device to a group. */
const RULES = `
rules:
  - { id: none, on: device.unenrolled, if: 'event.id == "none"', do: [log: hi] }
  - { id: log, on: device.lock.enabled, do: [log: hi] }
  - { id: group, on: device.enrolled, do: [assign_device_group: { group: 41 }] }
`;

/** Collects the scripts that clients send to Redis. */
async function watchScripts(client: Redis): Promise<{ sent: () => string[][]; stop: () => void }> {
  const monitor = await client.duplicate().monitor();
  const scripts: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    // What a script calls is no round trip.
    if (source !== 'lua' && /^eval/i.test(args[0] ?? '')) scripts.push(args);
  });
  return { sent: () => scripts, stop: () => monitor.disconnect() };
}

/** Posts an event and gives its id when the queues are done with it. */
async function process(
  { client, post, settled }: World,
  type: string,
  status: 'completed' | 'no_match',
): Promise<string> {
  await post({ type, data: { device: { id: 54 } } });
  const { id } = await settled(type, [status]);
  const jobs = `mdm-reflex:*:${id}*`;
  await until('the queues are done with the event', async () => (await client.keys(jobs)).length === 0);
  return id;
}

// One to enqueue the event. For the event: begin, finish, and BullMQ's own. For its run: begin, end, and BullMQ's own. For a call that
// changes something: one to reserve it at the rate limiter, and one to save what it intends.
test.each([
  ['an event that matches nothing', 'device.unenrolled', 'no_match', 1 + 3],
  ['an event with a step that changes nothing', 'device.lock.enabled', 'completed', 1 + 3 + 3],
  ['an event with a call that changes something', 'device.enrolled', 'completed', 1 + 3 + 3 + 2],
] as const)('%s takes few round trips to Redis', async (_what, type, status, expected) => {
  await world.start({ rules: RULES });
  // Redis has the scripts after the first event.
  await process(world, type, status);
  const { sent, stop } = await watchScripts(world.client);
  const id = await process(world, type, status);
  stop();
  const ofEvent = sent().filter((args) =>
    args.some((arg) => arg.includes(id) || arg.endsWith(':api-rate:default')),
  );
  expect(
    ofEvent.map(([command = '', script = '', , key]) => [command, script.slice(0, 8), key]),
  ).toHaveLength(expected);
});
