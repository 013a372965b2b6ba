import { expect, test } from '@jest/globals';
import { findEvents } from '../../src/journal/find-events.js';
import { WEBHOOK_TOKEN } from '../support/world.js';
import { until } from '../support/until.js';
import { useWorld } from '../support/use-world.js';
import { openShards } from '../../src/queues/shards.js';

const world = useWorld();

const RULES = `
rules:
  - { id: group, on: device.enrolled, do: [assign_device_group: { group: Laptops }] }
`;

test('around a Redis outage, each webhook is either accepted with 202 and processed, or refused with 503', async () => {
  await world.start({ rules: RULES });
  const ids = Array.from({ length: 60 }, (_, index) =>
    world.simulator.enroll({ kind: 'macbook', webhook: false, name: `Mac ${index}` }),
  );
  const post = async (device: { id: number; serialNumber: string }): Promise<number> => {
    const response = await fetch(`${world.service.url}/webhooks/simplemdm/${WEBHOOK_TOKEN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        type: 'device.enrolled',
        at: '2026-01-01T00:00:00.000+00:00',
        data: { device: { id: device.id, serial_number: device.serialNumber } },
      }),
    });
    return response.status;
  };
  const answers = new Map<number, number>();
  const send = async (from: number, to: number): Promise<void> => {
    for (const device of ids.slice(from, to)) answers.set(device.id, await post(device));
  };
  await send(0, 20);
  await world.redis.restart(() => send(20, 40));
  await until(
    'the service has Redis back',
    async () => (await fetch(`${world.service.url}/readyz`)).status === 200,
  );
  await send(40, 60);
  const statuses = [...answers.values()];
  expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 202));
  expect(new Set(statuses.slice(20, 40))).toEqual(new Set([503]));
  expect(statuses.slice(40)).toEqual(Array.from({ length: 20 }, () => 202));

  const taken = [...answers].filter(([, status]) => status === 202).map(([id]) => id);
  await until('every accepted event is completed', async () => {
    const { events } = await findEvents(openShards(world.client), { type: 'device.enrolled', limit: 100 });
    return events.length === taken.length && events.every((event) => event.status === 'completed');
  });
  const assigned = world.calls().filter((call) => call.startsWith('POST /device_groups/41/devices/'));
  expect(assigned.map((call) => Number(call.split('/').at(-1))).sort((a, b) => a - b)).toEqual(
    taken.sort((a, b) => a - b),
  );
  // A refused webhook is accepted when its sender retries.
  const refused = ids.slice(20, 21);
  for (const device of refused) expect(await post(device)).toBe(202);
});
