import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { useWorld } from '../../support/use-world.js';

const { start: begin } = useWorld();

const STEPS = `
    do:
      - assign_device_group: { group: Laptops }
        id: group
      - run_script: { script: Say hi }
        id: hello
      - log: { message: "job {{ steps.hello.job_id }} in {{ steps.group.group_name }}" }
        if: steps.hello.status == "completed"
      - log: { message: "{{ steps.hello.job_id }}" }
      - lock: { pin: "480915", message: "{{ device.name }}" }
      - wipe: {}
`;
const RULE = `
rules:
  - id: all-of-it
    on: device.enrolled
    allow: [destructive]
    mode: MODE${STEPS}`;

const NOTHING_SENT = [
  { status: 'skipped', reason: 'dry run: would send POST /device_groups/41/devices/500' },
  { status: 'skipped', reason: 'dry run: would send POST /script_jobs { script_id: 31, device_ids: 500 }' },
  // Placeholders stand for the output of skipped steps.
  {
    status: 'completed',
    output: { message: 'job {{ steps.hello.job_id }} in {{ steps.group.group_name }}' },
  },
  { status: 'completed', output: { message: '{{ steps.hello.job_id }}' } },
  {
    status: 'skipped',
    reason: 'dry run: would send POST /devices/500/lock { message: Ada, pin: [redacted] }',
  },
  { status: 'skipped', reason: 'dry run: would send POST /devices/500/wipe' },
];

describe('a dry run evaluates and traces everything and sends nothing', () => {
  test.each([
    ['when the rule says so', 'dry_run', {}],
    ['when the service is read-only, whatever the rule says', 'live', { READ_ONLY: '1' }],
  ])('%s', async (_when, mode, env) => {
    const { simulator, settled, log } = await begin({ rules: RULE.replace('MODE', mode), env });
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.status).toBe('completed');
    expect(trace.runs[0]?.steps).toMatchObject(NOTHING_SENT);
    expect(simulator.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
    expect(JSON.stringify(trace) + log()).not.toContain('480915');
  });
});

test('a rule with a destructive action does not load without allow: [destructive]', async () => {
  const rules = RULE.replace('    allow: [destructive]\n', '').replace('MODE', 'live');
  await expect(begin({ rules })).rejects.toThrow(/wipe cannot be undone: add "allow: \[destructive\]"/);
});

test('a rule applies only to its accounts, and an unknown account is a problem', async () => {
  const rules = (account: string) =>
    `rules: [{ id: only, on: device.enrolled, accounts: [${account}], do: [log: { message: hi }] }]`;
  const current = await begin({ rules: rules('default') });
  current.simulator.enroll({ kind: 'ipad' });
  expect((await current.settled('device.enrolled')).decisions).toMatchObject([{ verdict: 'matched' }]);
  await writeFile(current.env['RULES_PATH'] ?? '', rules('acme'));
  await expect(current.restartService()).rejects.toThrow(/there is no account "acme"/);
});
