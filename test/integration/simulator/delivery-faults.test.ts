import { expect, test } from '@jest/globals';
import type { SimulatorOptions } from '../../../simulator/start.js';
import type { OddForm } from '../../../simulator/webhooks/odd-webhook.js';
import { call, json } from './api-client.js';
import { receiverForTest, simulatorForTest } from './running-simulator.js';

async function withReceiver(options: Partial<SimulatorOptions> = {}) {
  const receiver = await receiverForTest();
  const world = await simulatorForTest({ webhook: { url: receiver.url }, ...options });
  const serials = async () => {
    await world.simulator.webhooksSettled();
    return receiver.received.map(({ data }) => /"serial_number":"(\w+)"/.exec(JSON.stringify(data))?.[1]);
  };
  const enroll = (...names: string[]) =>
    names.forEach((serialNumber) => world.simulator.enroll({ kind: 'ipad', serialNumber }));
  return { ...world, receiver, serials, enroll };
}

test('delayed: later webhooks arrive first, and `at` is the time of the event', async () => {
  const { simulator, clock, serials, enroll, receiver } = await withReceiver();
  simulator.addDeliveryFault({ kind: 'delayed', delayMs: 5000, times: 1 });
  enroll('ONE', 'TWO');
  expect(await serials()).toEqual(['TWO']);
  clock.advance(5000);
  expect(await serials()).toEqual(['TWO', 'ONE']);
  expect(receiver.received[1]?.at).toBe(receiver.received[0]?.at);
});

test('duplicated: the same webhook again, immediately or later', async () => {
  const { simulator, clock, serials, enroll, receiver } = await withReceiver();
  simulator.addDeliveryFault({ kind: 'duplicated', times: 1 });
  simulator.addDeliveryFault({ kind: 'duplicated', delayMs: 60_000, times: 1 });
  enroll('ONE', 'TWO', 'THREE');
  expect(await serials()).toEqual(['ONE', 'ONE', 'TWO', 'THREE']);
  clock.advance(60_000);
  expect(await serials()).toEqual(['ONE', 'ONE', 'TWO', 'THREE', 'TWO']);
  expect(receiver.received[1]).toMatchObject({ at: receiver.received[0]?.at });
});

test('reordered: held back until there are enough, then posted in an order that depends on the seed', async () => {
  const order = async (seed: number) => {
    const { simulator, serials, enroll } = await withReceiver({ seed });
    simulator.addDeliveryFault({ kind: 'reordered', hold: 6 });
    enroll('A', 'B', 'C', 'D', 'E');
    expect(await serials()).toEqual([]);
    enroll('F');
    return serials();
  };
  const first = await order(11);
  expect([...first].sort()).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  expect(first).not.toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  expect(await order(11)).toEqual(first);
});

test('reordered: posts the held webhooks when the fault is used up or cleared', async () => {
  const { simulator, serials, enroll } = await withReceiver();
  simulator.addDeliveryFault({ kind: 'reordered', hold: 9, times: 3 });
  enroll('A', 'B');
  expect(await serials()).toEqual([]);
  enroll('C');
  expect((await serials()).sort()).toEqual(['A', 'B', 'C']);
  simulator.addDeliveryFault({ kind: 'reordered' });
  enroll('D');
  simulator.clearDeliveryFaults();
  enroll('E');
  expect((await serials()).slice(3)).toEqual(['D', 'E']);
});

test('lost: recorded and never posted; affects only the given type', async () => {
  const { simulator, receiver } = await withReceiver();
  simulator.addDeliveryFault({ kind: 'lost', type: 'device.enrolled' });
  const { id } = simulator.enroll({ kind: 'ipad' });
  simulator.lock(id);
  await simulator.webhooksSettled();
  expect(receiver.received.map(({ type }) => type)).toEqual(['device.lock.enabled']);
  expect(simulator.webhookDeliveries()[0]).toMatchObject({ error: 'lost by a delivery fault', attempts: 0 });
});

test('a probability affects its share of webhooks, and the same ones for the same seed', async () => {
  const lost = async (seed: number) => {
    const { simulator } = await withReceiver({ seed });
    simulator.addDeliveryFault({ kind: 'lost', probability: 0.3 });
    simulator.enrollMany({ count: 200, kind: 'ipad' });
    return simulator
      .webhookDeliveries()
      .flatMap(({ error }, index) => (error === 'lost by a delivery fault' ? [index] : []));
  };
  const first = await lost(5);
  expect(first.length).toBeGreaterThan(30);
  expect(first.length).toBeLessThan(90);
  expect(await lost(5)).toEqual(first);
});

test.each<[OddForm, Record<string, unknown>]>([
  ['id_as_text', { data: { device: { id: expect.stringMatching(/^\d+$/), serial_number: 'ONE' } } }],
  ['no_id', { data: { device: { udid: expect.any(String), serial_number: 'ONE' } } }],
  ['no_serial_number', { data: { device: { id: expect.any(Number), serial_number: null } } }],
  ['no_device', { data: {} }],
  ['no_time', { data: { device: { serial_number: 'ONE' } } }],
  ['time_without_offset', { at: '2024-07-01T12:00:00.000' }],
  ['time_in_seconds', { at: 1719835200 }],
  ['data_as_text', { data: expect.stringMatching(/^\{"device":.*"ONE"/) }],
  ['more_fields', { attempt: 2, at: expect.any(String) }],
  ['text_plain', { data: { device: { serial_number: 'ONE' } } }],
])('odd: %s', async (form, expected) => {
  const { simulator, receiver, enroll } = await withReceiver();
  simulator.addDeliveryFault({ kind: 'odd', form, times: 1 });
  enroll('ONE', 'TWO');
  await simulator.webhooksSettled();
  expect(receiver.received[0]?.body).toMatchObject({ type: 'device.enrolled', ...expected });
  if (form === 'no_time') expect(receiver.received[0]?.body).not.toHaveProperty('at');
  expect(receiver.received[0]?.headers['content-type']).toBe(
    form === 'text_plain' ? 'text/plain' : 'application/json',
  );
  expect(receiver.received[1]).toMatchObject({ data: { device: { serial_number: 'TWO' } } });
});

test('odd without a form: the same forms for the same seed', async () => {
  const bodies = async (seed: number) => {
    const { simulator, receiver, enroll } = await withReceiver({ seed });
    simulator.addDeliveryFault({ kind: 'odd' });
    enroll('A', 'B', 'C', 'D', 'E', 'F');
    await simulator.webhooksSettled();
    // UDIDs are random whatever the seed.
    return receiver.received.map(({ body }) => JSON.stringify(body).replace(/[0-9A-F-]{36}/g, 'UDID'));
  };
  const first = await bodies(3);
  expect(new Set(first).size).toBeGreaterThan(1);
  expect(await bodies(3)).toEqual(first);
});

test('the control API adds them, lists them with the remaining times, and clears them', async () => {
  const { simulator, enroll } = await withReceiver();
  const control = `${simulator.origin}/__simulator`;
  const invalid = await call(control, '/webhooks/faults', json('POST', { kind: 'slow' }));
  expect(invalid.status).toBe(422);
  await call(control, '/webhooks/faults', json('POST', { kind: 'lost', times: 2 }));
  enroll('ONE');
  expect((await call(control, '/webhooks/faults')).body).toEqual({ data: [{ kind: 'lost', times: 1 }] });
  await call(control, '/webhooks/faults', { method: 'DELETE' });
  expect(simulator.deliveryFaults()).toEqual([]);
});

test('many devices enroll one after the other on the clock', async () => {
  const { simulator, clock, serials } = await withReceiver();
  const control = `${simulator.origin}/__simulator`;
  const { status } = await call(
    control,
    '/devices/many',
    json('POST', { count: 30, kind: 'iphone', perSecond: 10 }),
  );
  expect(status).toBe(202);
  clock.advance(950);
  expect(await serials()).toHaveLength(10);
  clock.advance(2000);
  expect(await serials()).toHaveLength(30);
});

test('many devices cannot enroll into an unknown group', async () => {
  const { simulator } = await withReceiver();
  const control = `${simulator.origin}/__simulator`;
  const many = json('POST', { count: 3, perSecond: 1, groupId: 999 });
  expect((await call(control, '/devices/many', many)).status).toBe(422);
});
