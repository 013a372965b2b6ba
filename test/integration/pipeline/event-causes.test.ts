import { expect, test } from '@jest/globals';
import { findEvents } from '../../../src/journal/find-events.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const world = useWorld();
const begin = (rules: string): Promise<World> => world.start({ rules });

/** Two rules that would move a device back and forth forever. */
const backAndForth = (more: string): string => `
rules:
  - id: first
    on: device.enrolled
    do: [assign_device_group: { group: Laptops }]
  - id: there
    on: device.changed_group
    ${more}
    if: group.name == "Laptops"
    do: [assign_device_group: { group: Executives }]
  - id: back
    on: device.changed_group
    ${more}
    if: group.name == "Executives"
    do: [assign_device_group: { group: Laptops }]
`;

/** The events of a type when `count` of them have ended, oldest first. */
async function endedEvents(current: World, type: string, count: number) {
  return until(`${count} events ${type} have ended`, async () => {
    const { events } = await findEvents(openShards(current.client), { type, limit: 20 });
    const over = events.filter(({ status }) => ['completed', 'no_match', 'failed'].includes(status));
    return over.length === count && events.length === count ? over.toReversed() : undefined;
  });
}

const changes = ({ simulator }: World): number =>
  simulator.webhookDeliveries().filter(({ type }) => type === 'device.changed_group').length;

test('rules ignore an event that a rule caused, and the trace names that rule', async () => {
  const current = await begin(backAndForth(''));
  current.simulator.enroll({ kind: 'macbook' });
  const [changed] = await endedEvents(current, 'device.changed_group', 1);
  expect(changed).toMatchObject({ status: 'no_match', ownAction: true });
  const trace = await current.settled('device.changed_group', ['no_match']);
  expect(trace.decisions.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^caused by the rule first \(event [0-9a-f]{12}\); on_own_actions/),
    expect.stringMatching(/^caused by the rule first/),
  ]);
  expect(changes(current)).toBe(1);
});

test('with on_own_actions, a loop of rules is cut, and the trace, the log and a metric report it', async () => {
  const current = await begin(backAndForth('on_own_actions: true'));
  current.simulator.enroll({ kind: 'macbook' });
  const events = await endedEvents(current, 'device.changed_group', 4);
  expect(events.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed', 'no_match']);
  const last = await current.settled('device.changed_group', ['no_match']);
  expect(last.decisions[0]?.reason).toBe('4 events in a row were caused by rules: the chain is cut');
  expect(last.decisions[0]?.code).toBe('event/chain-cut');
  expect(current.log()).toContain('rules cause each other in a loop');
  const metrics = await (await fetch(`${current.service.url}/metrics`)).text();
  expect(metrics).toMatch(
    /^mdm_reflex_event_chains_cut_total\{rule="there"\} 1$|^mdm_reflex_event_chains_cut_total\{rule="back"\} 1$/m,
  );
  expect(changes(current)).toBe(4);
});

test('a change by a person after that triggers the rules', async () => {
  const current = await begin(backAndForth(''));
  const { id } = current.simulator.enroll({ kind: 'macbook' });
  await endedEvents(current, 'device.changed_group', 1);
  const person = createSimpleMdm({ apiKey: API_KEY, baseUrl: current.simulator.url });
  await person.deviceGroups.assignDevice(38, id);
  const [, byHand, byRule] = await endedEvents(current, 'device.changed_group', 3);
  expect([byHand?.status, byRule?.status]).toEqual(['completed', 'no_match']);
  expect(current.simulator.device(id)?.relationships.device_group.data.id).toBe(41);
});

test('rules ignore each of several events that one run caused', async () => {
  const current = await begin(`
rules:
  - id: back-and-forth
    on: device.changed_group
    do: [assign_device_group: { group: Remote Employees }, assign_device_group: { group: Laptops }]
`);
  const { id } = current.simulator.enroll({ kind: 'macbook' });
  const person = createSimpleMdm({ apiKey: API_KEY, baseUrl: current.simulator.url });
  await person.deviceGroups.assignDevice(38, id);
  const [byHand, ...ours] = await endedEvents(current, 'device.changed_group', 3);
  expect(byHand?.status).toBe('completed');
  expect(ours.map(({ status }) => status)).toEqual(['no_match', 'no_match']);
  expect(changes(current)).toBe(3);
});

test('a failed call causes no event: a change by a person then triggers the rules', async () => {
  const current = await begin(`
rules:
  - id: lock-it
    on: device.enrolled
    do: [lock: { message: stolen }]
  - id: tell
    on: device.lock.enabled
    do: [log: locked]
`);
  current.simulator.addFault({
    method: 'POST',
    path: '/devices/*/lock',
    kind: 'status',
    status: 422,
    times: 1,
  });
  const { id } = current.simulator.enroll({ kind: 'iphone' });
  expect((await current.settled('device.enrolled')).status).toBe('failed');
  const person = createSimpleMdm({ apiKey: API_KEY, baseUrl: current.simulator.url });
  await person.devices.lock(id, { message: 'by hand' });
  expect((await current.settled('device.lock.enabled')).status).toBe('completed');
});
