import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { dropHeld, listHeld, releaseHeld } from '../../../src/cli/held.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

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
    do: [log: { message: "other" }]
`;

/** The number of runs of a rule by status, over all events. */
async function countByStatus({ client }: World, rule: string): Promise<Record<string, number>> {
  const { events } = await findEvents(openShards(client), { limit: 100 });
  const counts: Record<string, number> = {};
  for (const { id } of events) {
    const status = (await findTrace(openShards(client), id))?.runs.find((run) => run.rule === rule)?.status;
    if (status !== undefined) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

async function untilCounts(current: World, rule: string, expected: Record<string, number>): Promise<void> {
  const wanted = JSON.stringify(Object.entries(expected).sort());
  await until(
    `the runs of ${rule} are ${wanted}`,
    async () => JSON.stringify(Object.entries(await countByStatus(current, rule)).sort()) === wanted,
  );
}

test('a rule over its limit is held until a person releases it, and other rules run', async () => {
  const current = await begin(RULES('limit: { runs: 2, per: 1h }'));
  current.simulator.enrollMany({ count: 4, kind: 'ipad' });
  await untilCounts(current, 'greet', { completed: 2, waiting: 2 });
  await untilCounts(current, 'other', { completed: 4 });

  expect((await listHeld(openShards(current.client), false)).split('\n')).toEqual([
    expect.stringMatching(/^ACCOUNT +RULE +WAITING RUNS +HELD SINCE \(UTC\) +REASON$/),
    expect.stringMatching(
      /^default +greet +2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +the limit of 2 runs per 60 minutes is reached$/,
    ),
  ]);
  expect(JSON.parse(await listHeld(openShards(current.client), true))).toMatchObject([
    { rule: 'greet', waitingRuns: 2 },
  ]);
  const readyz = await (await fetch(`${current.service.url}/readyz`)).text();
  // /readyz needs no token, so it must not show names of rules.
  expect(JSON.parse(readyz)).toMatchObject({
    held_rules: 1,
    held_runs: 2,
    attention: ['1 rule is held, 2 runs wait: mdm-reflex held list'],
  });
  expect(readyz).not.toContain('greet');
  expect(current.log()).toContain('the rule is held: its runs wait for a person');
  const { events } = await findEvents(openShards(current.client), { status: 'waiting', limit: 5 });
  expect(events).toHaveLength(2);
  expect(events[0]?.reason).toMatch(
    /^rule greet: the rule is held: .*mdm-reflex held release greet --account default/,
  );

  expect(await releaseHeld(openShards(current.client), 'default', 'greet')).toContain('released');
  await untilCounts(current, 'greet', { completed: 4 });
  expect(await listHeld(openShards(current.client), false)).toBe('no rule is held');
  await expect(releaseHeld(openShards(current.client), 'default', 'greet')).rejects.toThrow(/is not held/);
});

test('dropped runs are dead letters that can be replayed, and new runs start', async () => {
  const current = await begin(RULES('limit: { runs: 1, per: 1d }'));
  current.simulator.enrollMany({ count: 3, kind: 'ipad' });
  await untilCounts(current, 'greet', { completed: 1, waiting: 2 });
  expect(await listHeld(openShards(current.client), false)).toContain(
    'the limit of 1 run per 1440 minutes is reached',
  );
  expect(await dropHeld(openShards(current.client), 'default', 'greet')).toContain('dropped');
  await untilCounts(current, 'greet', { completed: 1, failed: 2 });
  const { events } = await findEvents(openShards(current.client), { status: 'failed', limit: 5 });
  expect(events.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('the run was dropped while its rule was held'),
    expect.stringContaining('the run was dropped while its rule was held'),
  ]);
  await fetch(`${current.service.url}/api/events/${events[0]?.id ?? ''}/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  await untilCounts(current, 'greet', { completed: 2, failed: 1 });
});

test('a replayed run that is held again can be dropped again, and no longer counts as waiting', async () => {
  const current = await begin(RULES('limit: { runs: 1, per: 1d }'));
  const replayAll = async (): Promise<void> => {
    const { events } = await findEvents(openShards(current.client), { status: 'failed', limit: 5 });
    for (const { id } of events) {
      await fetch(`${current.service.url}/api/events/${id}/replay`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      });
    }
  };
  current.simulator.enrollMany({ count: 3, kind: 'ipad' });
  await untilCounts(current, 'greet', { completed: 1, waiting: 2 });
  await dropHeld(openShards(current.client), 'default', 'greet');
  await untilCounts(current, 'greet', { completed: 1, failed: 2 });
  await replayAll();
  await untilCounts(current, 'greet', { completed: 2, waiting: 1 });
  await dropHeld(openShards(current.client), 'default', 'greet');
  await untilCounts(current, 'greet', { completed: 2, failed: 1 });
  expect(await listHeld(openShards(current.client), false)).toBe('no rule is held');
});

test('a superseded run does not count as waiting', async () => {
  const current = await begin(
    RULES('limit: { runs: 1, per: 1d }\n    concurrency: { key: all, mode: restart }'),
  );
  const waiting = async (): Promise<unknown> => JSON.parse(await listHeld(openShards(current.client), true));
  for (const expected of [{ completed: 1 }, { completed: 1, waiting: 1 }, { completed: 2, waiting: 1 }]) {
    current.simulator.enrollMany({ count: 1, kind: 'ipad' });
    await untilCounts(current, 'greet', expected);
  }
  await until('one run is counted', async () => JSON.stringify(await waiting()).includes('"waitingRuns":1'));
  expect(await waiting()).toMatchObject([{ rule: 'greet', waitingRuns: 1 }]);
});

test('destructive actions are limited to ten runs in an hour, whatever the limit of the rule', async () => {
  const current = await begin(`
rules:
  - id: erase
    on: device.enrolled
    allow: [destructive]
    limit: { runs: 5000, per: 1h }
    do: [wipe: {}]
`);
  current.simulator.enrollMany({ count: 13, kind: 'iphone' });
  await untilCounts(current, 'erase', { completed: 10, waiting: 3 });
  const wipes = current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'));
  expect(wipes).toHaveLength(10);
  expect(await listHeld(openShards(current.client), true)).toContain(
    'the limit of 10 runs with destructive actions per 60 minutes',
  );
});

test('releasing another rule does not reset the limit for destructive actions', async () => {
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
  await untilCounts(current, 'erase', { completed: 10, waiting: 2 });
  await untilCounts(current, 'chatty', { completed: 1, waiting: 11 });
  await releaseHeld(openShards(current.client), 'default', 'chatty');
  await expect(releaseHeld(openShards(current.client), 'default', 'no-such-rule')).rejects.toThrow(
    /is not held/,
  );
  await untilCounts(current, 'chatty', { completed: 2, waiting: 10 });
  expect(current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'))).toHaveLength(10);
  // Releasing the rule itself resets it.
  await releaseHeld(openShards(current.client), 'default', 'erase');
  await untilCounts(current, 'erase', { completed: 12 });
});

test('a replay of a rule that has become destructive counts too', async () => {
  const failing = (steps: string): string => `
rules:
  - id: changes-its-mind
    on: device.enrolled
    allow: [destructive]
    do: [${steps}]
`;
  const current = await begin(failing('run_script: { script: "no such script" }'));
  current.simulator.enrollMany({ count: 12, kind: 'macbook' });
  await untilCounts(current, 'changes-its-mind', { failed: 12 });
  await writeFile(current.env['RULES_PATH'] ?? '', failing('wipe: {}'));
  await current.service.reloadRules();
  const { events } = await findEvents(openShards(current.client), { status: 'failed', limit: 50 });
  for (const { id } of events) {
    await fetch(`${current.service.url}/api/events/${id}/replay`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
  }
  await untilCounts(current, 'changes-its-mind', { completed: 10, waiting: 2 });
  expect(current.simulator.calls().filter(({ path }) => path.endsWith('/wipe'))).toHaveLength(10);
});

describe('runs behind an earlier run of their device that is held', () => {
  /** Three events of one device and one of another, after the run that uses up the limit. */
  async function beginWithRunsBehind(): Promise<World> {
    const current = await begin(`
rules:
  - id: greet
    on: acme.event
    limit: { runs: 1, per: 1d }
    do: [log: { message: "greet" }]
`);
    const post = (number: number, id: number): Promise<void> =>
      current.post({
        type: 'acme.event',
        at: new Date(Date.UTC(2026, 0, 1, 8, 0, number)).toISOString(),
        data: { device: { id }, number },
      });
    await post(1, 60);
    await untilCounts(current, 'greet', { completed: 1 });
    for (const number of [2, 3, 4]) await post(number, 54);
    await post(5, 56);
    return current;
  }
  const held = async (current: World, expected: string): Promise<string> =>
    until(`the list of held rules has ${expected}`, async () => {
      const list = await listHeld(openShards(current.client), false);
      return list.includes(expected) ? list : undefined;
    });

  test('count as waiting, and a drop drops them', async () => {
    const current = await beginWithRunsBehind();
    await held(current, 'greet  4 (2 behind earlier runs)');
    const readyz: unknown = await (await fetch(`${current.service.url}/readyz`)).json();
    expect(readyz).toMatchObject({ held_rules: 1, held_runs: 4 });
    expect(await dropHeld(openShards(current.client), 'default', 'greet')).toContain('behind earlier runs');
    await untilCounts(current, 'greet', { completed: 1, failed: 4 });
    expect(await listHeld(openShards(current.client), false)).toBe('no rule is held');
  });

  test('follow their earlier run after a release, and are held again beyond the limit', async () => {
    const current = await beginWithRunsBehind();
    await held(current, 'greet  4 (2 behind earlier runs)');
    await releaseHeld(openShards(current.client), 'default', 'greet');
    // One run starts, which one of the two devices is open.
    await untilCounts(current, 'greet', { completed: 2, waiting: 3 });
    expect(await held(current, 'greet  3 (')).toMatch(/greet {2}3 \([12] behind earlier runs\)/);
  });
});
