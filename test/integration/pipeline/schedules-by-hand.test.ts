import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { listSchedules, runSchedule } from '../../../src/cli/schedules.js';
import { readSettings } from '../../../src/config/settings.js';
import { findEvents } from '../../../src/journal/find-events.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const world = useWorld();

const RULES = `
rules:
  - id: weekly
    on: { schedule: "0 8 * * 1", timezone: Europe/Berlin, for_each: devices }
    if: device.id == 121
    do: [{ log: hello }]
  - id: daily
    on: { schedule: "0 8 * * *" }
    do: [{ log: hello }]
  - id: everything
    on: "*"
    do: [{ log: "{{ event.type }}" }]
  - id: off
    enabled: false
    on: { schedule: "0 8 * * *" }
    do: [{ log: hello }]
`;

const begin = (): Promise<World> => world.start({ rules: RULES });

const list = ({ client, env }: World, json = false): Promise<string> =>
  listSchedules(openShards(client), readSettings(env, []), json);
const rows = async (current: World) =>
  z
    .array(z.object({ rule: z.string(), next: z.string(), last: z.record(z.string(), z.unknown()) }))
    .parse(JSON.parse(await list(current, true)));
const run = ({ client, env }: World, rule: string): Promise<string> =>
  runSchedule(openShards(client), readSettings(env, []), rule);

test('schedules are listed with their next and last time, and can be run by hand', async () => {
  const current = await begin();
  await until('the schedules are written', async () => (await list(current)).split('\n').length === 2);
  expect(await list(current)).toMatch(
    /^weekly {2}0 8 \* \* 1 {2}Europe\/Berlin {2}next \S+Z {2}not run yet$/m,
  );
  expect(await list(current)).toMatch(
    /^daily {3}0 8 \* \* \* {2}UTC {12}next \S+T08:00:00.000Z {2}not run yet$/m,
  );
  const before = await rows(current);

  expect(await run(current, 'weekly')).toContain('tick added for weekly in each of its accounts');
  const trace = await current.settled('schedule.weekly', ['completed']);
  expect(trace).toMatchObject({ source: 'schedule', data: { device: { id: 121 } } });
  await until('the sweep is listed', async () => /^weekly .* last /m.test(await list(current)));
  expect(await list(current)).toMatch(/^weekly .* last \S+Z \(default: 1 event\)$/m);
  // The schedule itself has not changed.
  const after = await rows(current);
  expect(after.map(({ next }) => next)).toEqual(before.map(({ next }) => next));
  expect(after.find(({ rule }) => rule === 'weekly')?.last).toEqual({
    default: {
      scheduledAt: trace.at,
      finishedAt: expect.any(String),
      evaluated: expect.any(Number),
      emitted: 1,
    },
  });
});

test.each(['everything', 'off', 'nothing'])(
  'a rule without an active schedule is refused: %s',
  async (rule) => {
    const current = await begin();
    await until('the schedules are written', async () => (await list(current)).split('\n').length === 2);
    await expect(run(current, rule)).rejects.toThrow(
      `rule "${rule}" has no schedule; rules with a schedule: daily, weekly [cli/no-schedule]`,
    );
  },
);

test('a webhook with the type of a schedule does not run its rule; the replay of a tick does', async () => {
  const current = await begin();
  await current.post({ type: 'schedule.daily', at: '2026-01-05T08:00:00.000Z', data: {} });
  const forged = await current.settled('schedule.daily');
  expect(forged).toMatchObject({ status: 'no_match', source: 'webhook', decisions: [], runs: [] });

  const replay = async (id: string): Promise<void> => {
    const response = await fetch(`${current.service.url}/api/events/${id}/replay?everything=true`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(response.ok).toBe(true);
  };
  const atRest = async (): Promise<string[]> =>
    (await findEvents(openShards(current.client), { type: 'schedule.daily', limit: 10 })).events.map(
      ({ source, status }) => `${source} ${status}`,
    );
  await replay(forged.id);
  await until('the replay of the forged event matches no rule', async () =>
    (await atRest()).includes('replay no_match'),
  );

  await until('the schedule is written', async () => (await list(current)).includes('daily'));
  await run(current, 'daily');
  const real = await current.settled('schedule.daily', ['completed']);
  await replay(real.id);
  await until('the replay of the tick runs the rule', async () =>
    (await atRest()).includes('replay completed'),
  );
  const repeated = await current.settled('schedule.daily', ['completed']);
  await replay(repeated.id);
  await until(
    'the replay of the replay runs the rule',
    async () => (await atRest()).filter((event) => event === 'replay completed').length === 2,
  );
});
