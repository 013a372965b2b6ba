import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';

const world = useWorld();
const service = useChat();

const erase = (more = ''): string => `
rules:
  - id: erase-later
    on: device.enrolled
    allow: [destructive]
    ${more}
    do:
      - wait: 3s
      - wipe: {}
`;

async function waitingRun(): Promise<World> {
  const current = await world.start({ rules: erase() });
  current.simulator.enroll({ kind: 'iphone' });
  await current.settled('device.enrolled', ['waiting']);
  return current;
}

async function change(current: World, rules: string): Promise<void> {
  await writeFile(current.env['RULES_PATH'] ?? '', rules);
  await current.service.reloadRules();
}

const wipes = ({ simulator }: World): number =>
  simulator.calls().filter(({ path }) => path.endsWith('/wipe')).length;

describe('a changed rule also applies to its waiting runs', () => {
  test.each([
    ['a dry run', erase('mode: dry_run'), /^dry run: would send POST .*wipe/],
    [
      'disabled',
      erase('enabled: false'),
      /^the rule was disabled after the run was planned \(enabled: false\)$/,
    ],
    [
      'destructive actions no longer allowed',
      erase().replace('allow: [destructive]', '').replace('wipe: {}', 'log: hi'),
      /^the rule no longer allows destructive actions \(allow: \[destructive\]\)$/,
    ],
  ])('%s', async (_what, rules, reason) => {
    const current = await waitingRun();
    await change(current, rules);
    const trace = await current.settled('device.enrolled', ['completed']);
    expect(trace.runs[0]?.steps[1]).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(reason),
    });
    expect(wipes(current)).toBe(0);
  });

  test('removed: the run waits for the rule, and continues when it is restored', async () => {
    const current = await waitingRun();
    await change(current, 'rules: []');
    const held = await current.settled('device.enrolled', ['waiting']);
    expect(held.runs[0]?.status).toBe('waiting');
    await change(current, erase());
    await current.settled('device.enrolled', ['completed']);
    expect(wipes(current)).toBe(1);
  });
});

test('a run whose channel was removed performs its other steps', async () => {
  const rules = (channel: string): string => `
channels:
  ${channel}: { type: slack, url: "${service.url}/slack" }
rules:
  - id: tell
    on: device.enrolled
    do:
      - wait: 3s
      - http_request: { method: POST, url: "${service.url}/important" }
      - notify: { channel: ${channel}, title: hello }
`;
  await world.start({ rules: rules('old-desk') });
  world.simulator.enroll({ kind: 'iphone' });
  await world.settled('device.enrolled', ['waiting']);
  await change(world, rules('new-desk'));
  const trace = await world.settled('device.enrolled', ['completed']);
  // The alert waits, because another process may have the channel.
  expect(trace.alerts).toMatchObject([{ channel: 'old-desk', status: 'queued' }]);
  expect(service.requests().map(({ path }) => path)).toEqual(['/important']);
});
