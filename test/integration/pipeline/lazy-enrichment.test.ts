import { describe, expect, test } from '@jest/globals';
import { useWorld } from '../../support/use-world.js';
import type { Trace } from '../../../src/journal/trace.js';
import type { Simulator } from '../../../simulator/start.js';

const world = useWorld();

/** Runs one event through a rule set and gives the API calls that it took. */
async function callsFor(
  rules: string,
  cause: (simulator: Simulator) => void,
  type: string,
): Promise<{ calls: string[]; trace: Trace }> {
  const { simulator, settled, calls } = await world.start({ rules });
  cause(simulator);
  const trace = await settled(type);
  return { calls: calls(), trace };
}

const rule = (id: string, on: string, condition: string | undefined, message = 'x'): string =>
  `  - { id: ${id}, on: ${on}, ${condition === undefined ? '' : `if: '${condition}', `}do: [log: { message: '${message}' }] }\n`;

const enrollMac = (simulator: Simulator): void => void simulator.enroll({ kind: 'macbook' });

describe('only what the rules name is looked up', () => {
  test('rules that name nothing cost no call', async () => {
    const rules = `rules:\n${rule('a', 'device.enrolled', undefined)}${rule('b', 'device.enrolled', 'event.account == "default"', '{{ event.data.device.id }}')}`;
    const { calls, trace } = await callsFor(rules, enrollMac, 'device.enrolled');
    expect(trace.rules).toEqual(['a', 'b']);
    expect(calls).toEqual([]);
  });

  test('rules that name only the device cost one call, however many they are', async () => {
    const rules = `rules:\n${rule('a', 'device.enrolled', 'device.platform == "macOS"')}${rule('b', 'device.enrolled', undefined, '{{ device.name }}')}${rule('c', 'device.enrolled', 'device.is_supervised')}`;
    const { calls } = await callsFor(rules, enrollMac, 'device.enrolled');
    expect(calls).toEqual(['GET /devices/500']);
  });

  test('a rule that names the apps costs their pages, and not the device', async () => {
    const rules = `rules:\n${rule('a', 'device.lock.enabled', 'apps.exists(app, app.identifier == "com.nothing")')}`;
    const { calls, trace } = await callsFor(rules, (simulator) => simulator.lock(54), 'device.lock.enabled');
    // Device 54 has 134 apps; a page holds 100.
    expect(calls).toEqual(['GET /devices/54/installed_apps', 'GET /devices/54/installed_apps']);
    expect(trace.facts['apps']?.value).toHaveLength(134);
  });

  test('dearer facts are not fetched when cheaper ones decide', async () => {
    const rules = `rules:\n${rule('a', 'device.lock.enabled', 'apps.size() > 3 && logs.size() > 3 && device.platform == "tvOS"')}`;
    const { calls, trace } = await callsFor(rules, (simulator) => simulator.lock(54), 'device.lock.enabled');
    expect(calls).toEqual(['GET /devices/54']);
    expect(trace.decisions[0]?.reason).toBe(
      'device.platform == "tvOS" is not true: device.platform is "macOS"',
    );
  });

  test('what only the steps name is fetched only when the rule matches', async () => {
    const rules = `rules:\n${rule('no', 'device.lock.enabled', 'event.type == "other"', '{{ attributes.department }}')}`;
    expect((await callsFor(rules, (simulator) => simulator.lock(54), 'device.lock.enabled')).calls).toEqual(
      [],
    );
    const yes = `rules:\n${rule('yes', 'device.lock.enabled', undefined, '{{ attributes.department }} {{ group.name }}')}`;
    const { calls, trace } = await callsFor(yes, (simulator) => simulator.lock(54), 'device.lock.enabled');
    expect([...calls].sort()).toEqual([
      'GET /device_groups',
      'GET /devices/54',
      'GET /devices/54/custom_attribute_values',
    ]);
    expect(trace.facts['group']?.value).toEqual({ id: 41, name: 'Laptops' });
  });

  test('an event without device id is looked up by serial number, then among the DEP devices', async () => {
    const rules = `rules:\n${rule('a', 'abm.device.added', 'device == null && dep_device != null', '{{ dep_device.dep_server_name }}')}`;
    const { calls, trace } = await callsFor(
      rules,
      (simulator) => void simulator.addToBusinessManager({ depServerId: 2 }),
      'abm.device.added',
    );
    expect(trace.status).toBe('completed');
    expect(calls).toEqual([
      'GET /devices',
      'GET /dep_servers',
      'GET /dep_servers/1/dep_devices',
      'GET /dep_servers/2/dep_devices',
    ]);
  });

  test('logs are found by serial number', async () => {
    const rules = `rules:\n${rule('a', 'device.lock.enabled', 'logs.all(entry, entry.namespace != "")')}`;
    const { calls, trace } = await callsFor(rules, (simulator) => simulator.lock(54), 'device.lock.enabled');
    expect(new Set(calls)).toEqual(new Set(['GET /logs']));
    expect(trace.status).toBe('completed');
  });
});
