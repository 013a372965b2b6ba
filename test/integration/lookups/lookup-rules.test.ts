import { expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { useWorld } from '../../support/use-world.js';
import { until } from '../../support/until.js';
import { sendJson, startTinyServer } from '../simplemdm/tiny-server.js';

const world = useWorld();

const RULES = `
lookups:
  staff: { file: staff.csv, key: serial_number }
rules:
  - id: greet
    on: device.enrolled
    if: lookup.staff[device.serial_number].department == "Sales"
    do:
      - log: 'owner {{ lookup.staff[device.serial_number].owner }}'
`;

/** A table of 20,000 people whose last row is the given one. */
function csv(row: string): string {
  const rows = Array.from(
    { length: 20_000 },
    (_one, index) => `SERIAL${index},Dept ${index},person${index}@example.org`,
  );
  return ['serial_number,department,owner', ...rows, row, ''].join('\n');
}

test('a rule reads a file: by row, with a small trace, reloaded when the file changes', async () => {
  const current = await world.start({ rules: 'rules: []\n' });
  const path = current.env['RULES_PATH'] ?? '';
  const staff = join(dirname(path), 'staff.csv');
  const { simulator } = current;
  const mac = simulator.enroll({ kind: 'macbook' });
  const serial = mac.serialNumber;
  await current.settled('device.enrolled');
  await writeFile(staff, csv(`${serial.toLowerCase()},Sales,ada@example.org`));
  await writeFile(path, RULES);
  await until('the rules are live', async () => (await current.metric('mdm_reflex_rules')) === 1);

  const outcome = async () => {
    await current.post({
      type: 'device.enrolled',
      data: { device: { id: mac.id, serial_number: serial, n: Math.random() } },
    });
    return current.settled('device.enrolled');
  };
  const trace = await outcome();
  expect(trace.runs[0]?.steps[0]?.output?.['message']).toBe('owner ada@example.org');
  expect(trace.facts['lookup.staff']).toMatchObject({
    status: 'found',
    value: { rows: 20_001, used: { [serial]: { department: 'Sales', owner: 'ada@example.org' } } },
  });
  const keys = await current.client.keys('*');
  // A key may expire meanwhile: its size is null then.
  const sizes = await Promise.all(keys.map((key) => current.client.call('MEMORY', 'USAGE', key)));
  expect(Math.max(...sizes.map(Number))).toBeLessThan(100_000);

  await writeFile(staff, csv(`${serial},Sales,ada@example.org\n${serial},Sales,bob@example.org`));
  await until('the problem is reported', () => current.log().includes('is already on line 20002'));
  expect((await outcome()).runs[0]?.steps[0]?.output?.['message']).toBe('owner ada@example.org');

  await writeFile(staff, csv(`${serial},Design,bob@example.org`));
  await until(
    'the corrected file is live',
    async () => (await current.metric('mdm_reflex_rule_file_problems')) === 0,
  );
  const later = await outcome();
  expect(later.status).toBe('no_match');
  expect(later.decisions[0]?.reason).toContain('lookup.staff[device.serial_number].department is "Design"');
});

test('a rule waits while the service of its lookup has returned nothing; other rules go on', async () => {
  let isUp = false;
  const server = await startTinyServer((_request, response) =>
    isUp ? sendJson(response, [{ serial: 'X', owner: 'Ada' }]) : sendJson(response, {}, 503),
  );
  const current = await world.start({
    rules: `
lookups:
  assets: { url: '\${env:ASSETS_URL}', key: serial, headers: { Authorization: 'Bearer \${env:ASSETS_TOKEN}' } }
rules:
  - id: unknown-asset
    on: device.enrolled
    if: '!(device.serial_number in lookup.assets)'
    do: [log: 'not an asset']
  - id: other
    on: device.enrolled
    do: [log: 'hello']
`,
    env: { ASSETS_URL: `${server.url}/api`, ASSETS_TOKEN: 'assets-token-4711', RETRY_ATTEMPTS: '50' },
  });
  current.beforeStop(() => server.close());
  current.simulator.enroll({ kind: 'macbook' });
  const waiting = await current.settled('device.enrolled', ['waiting']);
  expect(waiting.decisions).toMatchObject([
    {
      rule: 'unknown-asset',
      verdict: 'waiting',
      code: 'event/facts-unavailable',
      reason: expect.stringContaining('lookup.assets could not be looked up'),
    },
    { rule: 'other', verdict: 'matched' },
  ]);
  expect(waiting.facts['lookup.assets']).toMatchObject({ status: 'failed', code: 'lookup/unavailable' });
  isUp = true;
  const done = await current.settled('device.enrolled', ['completed']);
  expect(done.decisions[0]).toMatchObject({ rule: 'unknown-asset', verdict: 'matched' });
  expect(current.log()).not.toContain('assets-token-4711');
});
