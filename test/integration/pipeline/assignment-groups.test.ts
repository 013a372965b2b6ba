import { expect, test } from '@jest/globals';
import { useWorld } from '../../support/use-world.js';

const world = useWorld();

test('conditions read the groups that actions change', async () => {
  const { simulator, settled, calls, post } = await world.start({
    rules: `
rules:
  - id: join
    on: device.enrolled
    if: '!in_group("Productivity Apps")'
    do:
      - assign_assignment_group: { group: Productivity Apps }
      - log: 'in {{ assignment_groups | map: "name" | join: ", " }}'
        if: in_assignment_group("Productivity Apps")
      - wait: 2s
      - log: 'in {{ assignment_groups | map: "name" | join: ", " }}'
        if: in_assignment_group("Productivity Apps")
`,
  });
  simulator.enroll({ kind: 'macbook' });
  const trace = await settled('device.enrolled');
  expect(trace.runs[0]?.steps.map(({ status }) => status)).toEqual([
    'completed',
    'skipped',
    'completed',
    'completed',
  ]);
  expect(trace.runs[0]?.steps[3]?.output?.['message']).toContain('Productivity Apps');
  expect(calls()).toContain('GET /assignment_groups');
  await post({ type: 'device.enrolled', data: trace.data });
  const again = await settled('device.enrolled', ['no_match']);
  expect(again.decisions[0]?.reason).toContain('assignment_groups is [');
});
