import { expect, test } from '@jest/globals';
import { findEvents } from '../../../src/journal/find-events.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import type { World } from '../../support/world.js';

const world = useWorld();
const begin = (rules: string): Promise<World> => world.start({ rules });

/** Two rules that would put a device to and fro for ever. */
const toAndFro = (more: string): string => `
rules:
  - id: begin
    on: device.enrolled
    do: [assign_device_group: { group: Laptops }]
  - id: to
    on: device.changed_group
    ${more}
    if: group.name == "Laptops"
    do: [assign_device_group: { group: Executives }]
  - id: fro
    on: device.changed_group
    ${more}
    if: group.name == "Executives"
    do: [assign_device_group: { group: Laptops }]
`;

/** The events of a type once so many are at rest, oldest first. */
async function atRest(current: World, type: string, count: number) {
  return until(`${count} events ${type} are at rest`, async () => {
    const { events } = await findEvents(current.client, { type, limit: 20 });
    const over = events.filter(({ status }) => ['completed', 'no_match', 'failed'].includes(status));
    return over.length === count && events.length === count ? over.toReversed() : undefined;
  });
}

const changes = ({ simulator }: World): number =>
  simulator.webhookDeliveries().filter(({ type }) => type === 'device.changed_group').length;

test('what a rule does brings about no further rule, and the trace says whose doing it was', async () => {
  const current = await begin(toAndFro(''));
  current.simulator.enroll({ kind: 'macbook' });
  const [changed] = await atRest(current, 'device.changed_group', 1);
  expect(changed).toMatchObject({ status: 'no_match', ownAction: true });
  const trace = await current.settled('device.changed_group', ['no_match']);
  expect(trace.decisions.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^the rule begin brought this event about \(event [0-9a-f]{12}\); on_own_actions/),
    expect.stringMatching(/^the rule begin brought this event about/),
  ]);
  expect(changes(current)).toBe(1);
});

test('rules that take their own doings go round only so often: the chain is cut, traced and told', async () => {
  const current = await begin(toAndFro('on_own_actions: true'));
  current.simulator.enroll({ kind: 'macbook' });
  const events = await atRest(current, 'device.changed_group', 4);
  expect(events.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed', 'no_match']);
  const last = await current.settled('device.changed_group', ['no_match']);
  expect(last.decisions[0]?.reason).toBe('4 events in a row were brought about by rules: the chain is cut');
  expect(current.log()).toContain('rules go round in a circle');
  const metrics = await (await fetch(`${current.service.url}/metrics`)).text();
  expect(metrics).toMatch(
    /^mdm_reflex_event_chains_cut_total\{rule="to"\} 1$|^mdm_reflex_event_chains_cut_total\{rule="fro"\} 1$/m,
  );
  expect(changes(current)).toBe(4);
});

test('what somebody else does after that is taken as ever', async () => {
  const current = await begin(toAndFro(''));
  const { id } = current.simulator.enroll({ kind: 'macbook' });
  await atRest(current, 'device.changed_group', 1);
  const person = createSimpleMdm({ apiKey: API_KEY, baseUrl: current.simulator.url });
  await person.deviceGroups.assignDevice(38, id);
  const [, byHand, byRule] = await atRest(current, 'device.changed_group', 3);
  expect([byHand?.status, byRule?.status]).toEqual(['completed', 'no_match']);
  expect(current.simulator.device(id)?.relationships.device_group.data.id).toBe(41);
});

test('each of several doings of a rule is known as its own: none of them starts a rule', async () => {
  const current = await begin(`
rules:
  - id: to-and-fro
    on: device.changed_group
    do: [assign_device_group: { group: Remote Employees }, assign_device_group: { group: Laptops }]
`);
  const { id } = current.simulator.enroll({ kind: 'macbook' });
  const person = createSimpleMdm({ apiKey: API_KEY, baseUrl: current.simulator.url });
  await person.deviceGroups.assignDevice(38, id);
  const [byHand, ...ours] = await atRest(current, 'device.changed_group', 3);
  expect(byHand?.status).toBe('completed');
  expect(ours.map(({ status }) => status)).toEqual(['no_match', 'no_match']);
  expect(changes(current)).toBe(3);
});

test('a call that failed brings nothing about: what a person does then is taken', async () => {
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
