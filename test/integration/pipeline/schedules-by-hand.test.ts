import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { runSchedule } from '../../../src/cli/run-schedule.js';
import type { RunScheduleOptions } from '../../../src/cli/run-schedule.js';
import { listSchedules } from '../../../src/cli/schedules.js';
import { readSettings } from '../../../src/config/settings.js';
import { findEvents } from '../../../src/journal/find-events.js';
import { dialogOf } from '../../support/dialog.js';
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

const run = (
  { client, env }: World,
  rule: string,
  options: Partial<RunScheduleOptions> = {},
  { dialog } = dialogOf(),
): Promise<string> =>
  runSchedule(
    rule,
    { yes: true, count: false, ...options },
    { shards: openShards(client), settings: readSettings(env, []), env, dialog },
  );

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

describe('a person who runs a schedule', () => {
  const FLEET = `
rules:
  - id: audit
    on: { schedule: "0 8 * * 1", for_each: devices }
    if: device.model_name.contains('Mac')
    do: [set_attribute: { name: department, value: Sales }]
`;
  /** A service that has the schedule, with four Macs and three iPads more than the simulator starts with. */
  async function beginFleet(rules = FLEET): Promise<World> {
    const current = await world.start({ rules });
    current.simulator.enrollMany({ count: 4, kind: 'macbook' });
    current.simulator.enrollMany({ count: 3, kind: 'ipad' });
    await until('the schedule is written', async () => (await list(current)).includes('audit'));
    return current;
  }
  const eventsOf = async ({ client }: World) =>
    (await findEvents(openShards(client), { type: 'schedule.audit', limit: 100 })).events;

  test('sees how many devices match, answers, and sees the progress until the runs are done', async () => {
    const current = await beginFleet();
    const questions: string[] = [];
    const ask = async (question: string): Promise<boolean> => {
      // Nothing has started before the answer.
      expect(await eventsOf(current)).toEqual([]);
      questions.push(question);
      return true;
    };
    const terminal = dialogOf({ isInteractive: true, ask });
    const last = await run(current, 'audit', { yes: false, count: true }, terminal);
    expect(questions).toEqual(['Run audit now?']);
    const events = await eventsOf(current);
    expect(events.length).toBeGreaterThanOrEqual(4);
    expect(events.every(({ status }) => status === 'completed')).toBe(true);
    const counted = terminal.lines.find((line) => /^default: \d+ of \d+ devices match$/.test(line));
    expect(counted).toMatch(new RegExp(`^default: ${events.length} of `));
    expect(terminal.lines.join('\n')).toContain('estimated time: unknown, since no run');
    expect(last).toMatch(new RegExp(`^audit is done: \\d+ devices checked, ${events.length} events`));
    // The runs have told how many calls they make.
    await until('the calls are written', async () => {
      const again = dialogOf({ isInteractive: true, ask: () => Promise.resolve(false) });
      expect(await run(current, 'audit', { yes: false, count: true }, again)).toBe('nothing was started');
      return /estimated time: about \d+ s for \d+ API calls at 1000\/s/.test(again.lines.join('\n'));
    });
    expect(await eventsOf(current)).toHaveLength(events.length);
  });

  test('is asked only at a terminal: a script needs --yes', async () => {
    const current = await beginFleet();
    await expect(run(current, 'audit', { yes: false, count: true })).rejects.toThrow(
      /asks before it starts, and this is not a terminal; add --yes.*\[cli\/confirmation-needed\]/,
    );
    const script = dialogOf();
    expect(await run(current, 'audit', { yes: true, count: true }, script)).toContain('tick added for audit');
    expect(script.lines.join('\n')).toMatch(/^default: \d+ of \d+ devices match$/m);
    await until('the sweep runs', async () => (await eventsOf(current)).length > 0);
  });

  test('can stop watching: the sweep goes on', async () => {
    const current = await beginFleet();
    const stopping = new AbortController();
    const terminal = dialogOf({
      isInteractive: true,
      signal: stopping.signal,
      progress: () => stopping.abort(),
    });
    expect(await run(current, 'audit', {}, terminal)).toContain('audit goes on without this command');
    await until('the runs are done', async () => {
      const events = await eventsOf(current);
      return events.length >= 4 && events.every(({ status }) => status === 'completed');
    });
  });

  test('is told why the devices cannot be counted here, and what waits for a person in the end', async () => {
    const current = await beginFleet(`${FLEET}    limit: { runs: 1, per: 1d }\n`);
    const terminal = dialogOf({ isInteractive: true, ask: () => Promise.resolve(true) });
    const { SIMPLEMDM_API_KEY: _key, ...env } = current.env;
    const last = await runSchedule(
      'audit',
      { yes: false, count: true },
      { shards: openShards(current.client), settings: readSettings(env, []), env, dialog: terminal.dialog },
    );
    expect(terminal.lines.join('\n')).toMatch(/cannot be counted here: .*SIMPLEMDM_API_KEY/);
    expect(last).toMatch(/not done yet: \d+ waits for a person: the rule is held/);
  });
});
