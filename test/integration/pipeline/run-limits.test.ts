import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { dropHeld, listHeld, releaseHeld } from '../../../src/cli/held.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';

const world = useWorld();
const begin = (rules: string): Promise<World> => world.start({ rules });

const RULES = (limit: string): string => `
rules:
  - id: greet
    on: device.enrolled
    ${limit}
    do: [set_attribute: { name: department, value: Sales }]
  - id: other
    on: device.enrolled
    do: [log: { message: "beside it" }]
`;

/** How many runs of a rule stand how, over all events. */
async function standing({ client }: World, rule: string): Promise<Record<string, number>> {
  const { events } = await findEvents(client, { limit: 100 });
  const counts: Record<string, number> = {};
  for (const { id } of events) {
    const status = (await findTrace(client, id))?.runs.find((run) => run.rule === rule)?.status;
    if (status !== undefined) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

async function untilStanding(current: World, rule: string, expected: Record<string, number>): Promise<void> {
  const wanted = JSON.stringify(Object.entries(expected).sort());
  await until(
    `${rule} stands at ${wanted}`,
    async () => JSON.stringify(Object.entries(await standing(current, rule)).sort()) === wanted,
    30_000,
  );
}

test('past its limit a rule is held, other rules go on, and a person lets its runs go on', async () => {
  const current = await begin(RULES('limit: { runs: 2, per: 1h }'));
  current.simulator.enrollMany({ count: 4, kind: 'ipad' });
  await untilStanding(current, 'greet', { completed: 2, waiting: 2 });
  await untilStanding(current, 'other', { completed: 4 });

  expect((await listHeld(current.client, false)).split('\n')).toEqual([
    expect.stringMatching(/^ACCOUNT +RULE +RUNS THAT WAIT +HELD SINCE \(UTC\) +WHY$/),
    expect.stringMatching(
      /^default +greet +2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +it may begin at most 2 times in 60 minutes$/,
    ),
  ]);
  expect(JSON.parse(await listHeld(current.client, true))).toMatchObject([{ rule: 'greet', waitingRuns: 2 }]);
  const readyz = await (await fetch(`${current.service.url}/readyz`)).text();
  // Everybody may ask: how many, and not which.
  expect(JSON.parse(readyz)).toMatchObject({
    held_rules: 1,
    attention: ['1 rule is held: mdm-reflex held list'],
  });
  expect(readyz).not.toContain('greet');
  expect(current.log()).toContain('the rule is held: its runs wait for a person');
  const { events } = await findEvents(current.client, { status: 'waiting', limit: 5 });
  expect(events).toHaveLength(2);
  expect(events[0]?.reason).toMatch(
    /^rule greet: the rule is held: .*mdm-reflex held release greet --account default/,
  );

  expect(await releaseHeld(current.client, 'default', 'greet')).toContain('released');
  await untilStanding(current, 'greet', { completed: 4 });
  expect(await listHeld(current.client, false)).toBe('no rule is held');
  await expect(releaseHeld(current.client, 'default', 'greet')).rejects.toThrow(/is not held/);
});

test('dropped runs are dead letters that can be replayed, and new ones begin', async () => {
  const current = await begin(RULES('limit: { runs: 1, per: 1d }'));
  current.simulator.enrollMany({ count: 3, kind: 'ipad' });
  await untilStanding(current, 'greet', { completed: 1, waiting: 2 });
  expect(await listHeld(current.client, false)).toContain('it may begin at most 1 time in 1440 minutes');
  expect(await dropHeld(current.client, 'default', 'greet')).toContain('dropped');
  await untilStanding(current, 'greet', { completed: 1, failed: 2 });
  const { events } = await findEvents(current.client, { status: 'failed', limit: 5 });
  expect(events.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('it was dropped while its rule was held'),
    expect.stringContaining('it was dropped while its rule was held'),
  ]);
  await fetch(`${current.service.url}/api/events/${events[0]?.id ?? ''}/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  await untilStanding(current, 'greet', { completed: 2, failed: 1 });
});

test('what is replayed and held again can be dropped again, and counts no longer', async () => {
  const current = await begin(RULES('limit: { runs: 1, per: 1d }'));
  const replayAll = async (): Promise<void> => {
    const { events } = await findEvents(current.client, { status: 'failed', limit: 5 });
    for (const { id } of events) {
      await fetch(`${current.service.url}/api/events/${id}/replay`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
    }
  };
  current.simulator.enrollMany({ count: 3, kind: 'ipad' });
  await untilStanding(current, 'greet', { completed: 1, waiting: 2 });
  await dropHeld(current.client, 'default', 'greet');
  await untilStanding(current, 'greet', { completed: 1, failed: 2 });
  await replayAll();
  await untilStanding(current, 'greet', { completed: 2, waiting: 1 });
  await dropHeld(current.client, 'default', 'greet');
  await untilStanding(current, 'greet', { completed: 2, failed: 1 });
  expect(await listHeld(current.client, false)).toBe('no rule is held');
}, 60_000);

test('a run that another one took the place of does not count among those that wait', async () => {
  const current = await begin(
    RULES('limit: { runs: 1, per: 1d }\n    concurrency: { key: all, mode: restart }'),
  );
  const waiting = async (): Promise<unknown> => JSON.parse(await listHeld(current.client, true));
  for (const expected of [{ completed: 1 }, { completed: 1, waiting: 1 }, { completed: 2, waiting: 1 }]) {
    current.simulator.enrollMany({ count: 1, kind: 'ipad' });
    await untilStanding(current, 'greet', expected);
  }
  await until('one is counted', async () => JSON.stringify(await waiting()).includes('"waitingRuns":1'));
  expect(await waiting()).toMatchObject([{ rule: 'greet', waitingRuns: 1 }]);
});

test('what cannot be undone is done ten times in an hour at most, whatever the rule says', async () => {
  const current = await begin(`
rules:
  - id: erase
    on: device.enrolled
    allow: [destructive]
    limit: { runs: 5000, per: 1h }
    do: [wipe: {}]
`);
  current.simulator.enrollMany({ count: 13, kind: 'iphone' });
  await untilStanding(current, 'erase', { completed: 10, waiting: 3 });
  const wipes = current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'));
  expect(wipes).toHaveLength(10);
  expect(await listHeld(current.client, true)).toContain(
    'what cannot be undone is done at most 10 times in 60 minutes',
  );
});

test('releasing another rule gives what cannot be undone no more room', async () => {
  const current = await begin(`
rules:
  - id: erase
    on: device.enrolled
    allow: [destructive]
    do: [wipe: {}]
  - id: chatty
    on: device.enrolled
    limit: { runs: 1, per: 1h }
    do: [set_group_attribute: { group: Laptops, name: department, value: Sales }]
`);
  current.simulator.enrollMany({ count: 12, kind: 'iphone' });
  await untilStanding(current, 'erase', { completed: 10, waiting: 2 });
  await untilStanding(current, 'chatty', { completed: 1, waiting: 11 });
  await releaseHeld(current.client, 'default', 'chatty');
  await expect(releaseHeld(current.client, 'default', 'no-such-rule')).rejects.toThrow(/is not held/);
  await untilStanding(current, 'chatty', { completed: 2, waiting: 10 });
  expect(current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'))).toHaveLength(10);
  // Letting the rule itself go is what gives it room.
  await releaseHeld(current.client, 'default', 'erase');
  await untilStanding(current, 'erase', { completed: 12 });
}, 90_000);

test('a replay by a rule that destroys now is counted as well', async () => {
  const failing = (steps: string): string => `
rules:
  - id: changes-its-mind
    on: device.enrolled
    allow: [destructive]
    do: [${steps}]
`;
  const current = await begin(failing('run_script: { script: "no such script" }'));
  current.simulator.enrollMany({ count: 12, kind: 'macbook' });
  await untilStanding(current, 'changes-its-mind', { failed: 12 });
  await writeFile(current.env['RULES_PATH'] ?? '', failing('wipe: {}'));
  await current.service.reloadRules();
  const { events } = await findEvents(current.client, { status: 'failed', limit: 50 });
  for (const { id } of events) {
    await fetch(`${current.service.url}/api/events/${id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
  }
  await untilStanding(current, 'changes-its-mind', { completed: 10, waiting: 2 });
  expect(current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'))).toHaveLength(10);
});
