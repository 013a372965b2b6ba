import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { runCommand } from '../support/process.js';

const apiKey = 'api-key-of-the-explain-test';
let folder: string;
let simulator: Simulator;
/** The serial number of device 54. */
let serial: string;

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.platform == "macOS" && version(device.os_version) >= version("15.0")
    do:
      - assign_device_group: { group: Remote Employees }
      - lock: { pin: "\${env:LOCK_PIN}", message: "{{ device.name }}" }
  - id: phones
    on: device.enrolled
    if: device.platform == "iOS"
    do: [refresh: {}]
  - id: weekly
    on: { schedule: '0 8 * * 1', for_each: devices }
    do: [log: hello]
`;

beforeAll(async () => {
  simulator = await startSimulator({ apiKey });
  const response = await fetch(`${simulator.url}/devices/54`, {
    headers: { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` },
  });
  serial = z
    .object({ data: z.object({ attributes: z.object({ serial_number: z.string() }) }) })
    .parse(await response.json()).data.attributes.serial_number;
  folder = await mkdtemp(join(tmpdir(), 'mdm-reflex-explain-'));
  await writeFile(join(folder, 'rules.yaml'), RULES);
  await writeFile(
    join(folder, 'webhook.json'),
    '{"type":"device.enrolled","at":"2026-01-31T08:00:00.000Z","data":{"device":{"id":121}}}',
  );
  await writeFile(
    join(folder, 'odd.json'),
    '{"type":"device.enrolled","data":{"device":{"id":"121"}},"sender":"proxy"}',
  );
  await writeFile(
    join(folder, 'forged.json'),
    '{"type":"schedule.weekly","at":"2026-01-31T08:00:00.000Z","data":{"device":{"id":121}}}',
  );
});

afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

const explain = (...args: string[]) =>
  runCommand(['explain', ...args], {
    SIMPLEMDM_API_KEY: apiKey,
    SIMPLEMDM_BASE_URL: simulator.url,
    RULES_PATH: join(folder, 'rules.yaml'),
    LOCK_PIN: '480915',
    DATA_DIR: folder,
  });

test('a type and a device: shows each rule with its reason and the request of each step, and sends nothing', async () => {
  const { code, output } = await explain('--event', 'device.enrolled', '--device', '54');
  expect(code).toBe(0);
  expect(output).toMatch(/✔ matched +laptops +device\.platform == "macOS" .* is true/);
  expect(output).toMatch(
    /no match +phones +device\.platform == "iOS" is not true: device\.platform is "macOS"/,
  );
  expect(output).toMatch(/assign_device_group +dry run: would send POST \/device_groups\/37\/devices\/54/);
  expect(output).toMatch(
    /lock +dry run: would send POST \/devices\/54\/lock \{ message: Priya's MacBook Pro, pin: \[redacted\]/,
  );
  expect(output).not.toMatch(/480915|api-key-of-the-explain-test/);
  expect(simulator.calls().filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('a webhook in a file, as JSON', async () => {
  const { code, output } = await explain('--event', join(folder, 'webhook.json'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    type: 'device.enrolled',
    at: '2026-01-31T08:00:00.000Z',
    decisions: [
      { rule: 'laptops', verdict: 'not_matched' },
      { rule: 'phones', verdict: 'matched' },
    ],
    runs: [
      {
        rule: 'phones',
        steps: [
          { action: 'refresh', status: 'skipped', reason: 'dry run: would send POST /devices/121/refresh' },
        ],
      },
    ],
  });
});

test('a device by its serial number', async () => {
  const { output } = await explain('--event', 'device.enrolled', '--device', serial);
  expect(output).toMatch(/matched +laptops/);
});

test('the output of a step is shown by its name and is not in the trace', async () => {
  const path = join(folder, 'left.yaml');
  await writeFile(
    path,
    `rules:
  - id: left
    on: device.enrolled
    do:
      - run_script: { script: Say hi }
        id: hello
      - log: 'job {{ steps.hello.job_id }}'
`,
  );
  const args = ['--event', 'device.enrolled', '--device', '54', '--rules', path];
  const { code, output } = await explain(...args);
  expect(code).toBe(0);
  expect(output).toContain('job {{ steps.hello.job_id }}');
  expect(output).toContain('It is known only in a real run.');
  const json = await explain(...args, '--json');
  expect(JSON.parse(json.output)).toMatchObject({
    runs: [{ status: 'completed', steps: [{ status: 'skipped' }, { status: 'completed' }] }],
  });
  expect(json.output).not.toContain('{{ steps.hello.script_name }}');
});

test.each<[string, readonly string[], RegExp]>([
  ['an unknown event', ['--event', 'nothing'], /no service runs with DATA_DIR .* \[cli\/no-service\]$/m],
  [
    'an invalid device id',
    ['--event', 'device.enrolled', '--device', 'x'],
    /--device: expected the SimpleMDM id or the serial number of a device \[cli\/invalid-option\]/,
  ],
  [
    'a misspelled type',
    ['--event', 'device.enroled', '--device', '54'],
    /--event device\.enroled: unknown event type; did you mean "device\.enrolled"\? \[cli\/invalid-option\]/,
  ],
  [
    'a missing device',
    ['--event', 'device.enrolled'],
    /add --device with the SimpleMDM id or serial number of the device \[cli\/missing-argument\]/,
  ],
  [
    'an unknown serial number',
    ['--event', 'device.enrolled', '--device', 'NOSUCHNUMBER'],
    /--device NOSUCHNUMBER: no device has this serial number.* \[cli\/unknown-device\]/,
  ],
  [
    'an unknown account',
    ['--event', 'device.enrolled', '--account', 'acme'],
    /there is no account "acme".* \[cli\/unknown-account\]/,
  ],
  [
    'a missing rule file',
    ['--event', 'device.enrolled', '--rules', '/nowhere.yaml'],
    /no such file or folder/,
  ],
])('%s is an error of one line', async (_what, args, message) => {
  const { code, output } = await explain(...args);
  expect(code).toBe(78);
  expect(output).toMatch(message);
  expect(output).not.toMatch(/\n\s+at /);
});

test('an odd webhook in a file is read as the receiver reads it, with its warnings', async () => {
  const { code, output } = await explain('--event', join(folder, 'odd.json'));
  expect(code).toBe(0);
  expect(output).toContain('  warnings');
  expect(output).toContain('data.device.id is "121", read as 121');
  expect(output).toContain('at is missing: the time of receipt is used');
  expect(output).toContain('as sent: {"sender":"proxy"}');
  expect(output).toMatch(/received\n\s+.*device 121, /);
});

test('a schedule type counts as a tick; rules ignore a webhook of that type', async () => {
  const byType = await explain('--event', 'schedule.weekly', '--device', '121', '--json');
  expect(JSON.parse(byType.output)).toMatchObject({ source: 'schedule', runs: [{ rule: 'weekly' }] });
  const forged = await explain('--event', join(folder, 'forged.json'), '--json');
  expect(JSON.parse(forged.output)).toMatchObject({ source: 'webhook', decisions: [], runs: [] });
});
