import { expect, test } from '@jest/globals';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { API_KEY } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const world = useWorld();

const CONDITIONS: Readonly<Record<string, string>> = {
  'is-null': 'attributes.room == null',
  'is-null-in-device': 'device.attributes.room == null',
  'has-none': '!has(attributes.room)',
  'is-known': 'attributes.room != null',
  'is-other': 'attributes.room != "Sales"',
  'is-default': 'attributes.site == "Berlin"',
};

/** One rule for each condition, for an event and as a sweep. */
const RULES = `
rules:
${Object.entries(CONDITIONS)
  .flatMap(([id, condition]) =>
    [
      [id, 'acme.look'],
      [`sweep-${id}`, '{ schedule: "* * * * * *", for_each: devices }'],
    ].map(
      ([name, on]) => `  - id: ${name}
    on: ${on}
    if: 'device.name == "Subject" && ${condition}'
    do:
      - log: '[{{ attributes.room }}] [{{ device.attributes.room | default: "none" }}]'`,
    ),
  )
  .join('\n')}`;

async function matched(room: string | undefined): Promise<Record<string, unknown>> {
  const { simulator, settled, client } = await world.start({ rules: RULES });
  const call = (method: string, path: string, body: Record<string, string>): Promise<Response> =>
    fetch(`${simulator.url}${path}`, {
      method,
      headers: { Authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}` },
      body: new URLSearchParams(body),
    });
  await call('POST', '/custom_attributes', { name: 'room' });
  await call('POST', '/custom_attributes', { name: 'site', default_value: 'Berlin' });
  const { id } = simulator.enroll({ kind: 'macbook', name: 'Subject' });
  if (room !== undefined) await call('PUT', `/devices/${id}/custom_attribute_values/room`, { value: room });
  await world.post({ type: 'acme.look', data: { device: { id } } });
  const trace = await settled('acme.look');
  const sweeps = async (): Promise<readonly { readonly type: string; readonly id: string }[]> =>
    (await findEvents(openShards(client), { type: 'schedule.sweep-is-*', status: 'completed', limit: 100 }))
      .events;
  await until('the sweeps with the default have run', async () =>
    (await sweeps()).some(({ type }) => type === 'schedule.sweep-is-default'),
  );
  const inSweeps = (await findEvents(openShards(client), { type: 'schedule.*', limit: 100 })).events.map(
    ({ type }) => type.replace('schedule.sweep-', ''),
  );
  const swept = (await sweeps()).find(({ type }) => type === 'schedule.sweep-is-default');
  const messageIn = (found: typeof trace | undefined): unknown =>
    found?.runs[0]?.steps[0]?.output?.['message'];
  return {
    matched: trace.decisions.flatMap(({ verdict, rule }) => (verdict === 'matched' ? [rule] : [])),
    swept: new Set(inSweeps),
    message: messageIn(trace),
    sweptMessage: messageIn(await findTrace(openShards(client), swept?.id ?? '')),
  };
}

test.each([
  ['never set', undefined],
  ['set to nothing', ''],
])('an attribute that was %s is null, in templates empty, and a default is a value', async (_what, room) => {
  const found = await matched(room);
  expect(found['matched']).toEqual(['is-null', 'is-null-in-device', 'has-none', 'is-default']);
  expect(found['message']).toBe('[] [none]');
  expect(found['sweptMessage']).toBe('[] [none]');
  const swept = [...new Set<unknown>(Object(found['swept']))];
  expect(swept).not.toContain('is-known');
  expect(swept).not.toContain('is-other');
});

test('an attribute with a value is that value', async () => {
  const found = await matched('Design');
  expect(found['matched']).toEqual(['is-known', 'is-other', 'is-default']);
  expect(found['message']).toBe('[Design] [Design]');
});
