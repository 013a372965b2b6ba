import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';
import { startChat } from '../support/chat.js';
import type { Chat } from '../support/chat.js';
import { endAllProcesses, runCommand, temporaryFolder } from '../support/process.js';
import { startTestRedis } from '../support/redis.js';

const API_KEY = 'api-key-of-the-command-line';

let simulator: Simulator | undefined;
let chat: Chat | undefined;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await endAllProcesses();
  await simulator?.close();
  await chat?.close();
  simulator = undefined;
  chat = undefined;
  await folder.remove();
});

async function run(args: readonly string[], env: Record<string, string> = {}) {
  return runCommand(
    args,
    { ...(simulator && { SIMPLEMDM_API_KEY: API_KEY, SIMPLEMDM_BASE_URL: simulator.url }), ...env },
    folder.path,
  );
}

async function withFiles(files: Record<string, string>): Promise<void> {
  await folder.remove();
  folder = await temporaryFolder(files);
}

describe('mdm-reflex test', () => {
  const EXAMPLES = join(process.cwd(), 'rules/examples');

  test('every example has its tests, and they pass', async () => {
    const examples = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
    expect(examples.length).toBeGreaterThanOrEqual(12);
    expect(readdirSync(join(EXAMPLES, 'tests')).sort()).toEqual(examples.sort());
    const { code, output } = await run(['test', join(EXAMPLES, 'tests')]);
    expect(output).toMatch(/\n(\d+) passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  const RULES = `
rules:
  - id: greet
    on: device.enrolled
    if: device.platform == "macOS"
    do:
      - log: hello {{ device.name }}
`;
  const TEST = (expected: string, facts = '{ device: { platform: macOS, name: Ada } }') => `
rules: rules.yaml
tests:
  - name: it
    event: device.enrolled
    facts: ${facts}
    expect: ${expected}
`;

  test.each([
    [
      'another argument',
      TEST('{ greet: [log: bye] }'),
      ['greet: step 1: expected log: "bye"', 'greet: step 1:      got log: {"message":"hello Ada"}'],
    ],
    [
      'an unexpected step',
      TEST('{ greet: [] }'),
      ['greet: step 1: unexpected: log: {"message":"hello Ada"}'],
    ],
    [
      'a missing step',
      TEST('{ greet: [log: hello Ada, log: bye] }'),
      ['greet: step 2: expected log: "bye", got no step'],
    ],
    ['an unexpected rule', TEST('{}'), ['greet: matched unexpectedly: device.platform == "macOS" is true']],
    [
      'a rule that does not match',
      TEST('{ greet: [] }', '{ device: { platform: iOS } }'),
      ['greet: not matched: device.platform == "macOS" is not true: device.platform is "iOS"'],
    ],
  ])('shows %s', async (_what, text, lines) => {
    await withFiles({ 'rules.yaml': RULES, 'tests.yaml': text });
    const { code, output } = await run(['test', 'tests.yaml']);
    for (const line of lines) expect(output).toContain(line);
    expect(output).toContain('0 passed, 1 failed');
    expect(code).toBe(1);
  });

  test.each([
    [
      'a misspelled fact',
      TEST('{}', '{ devise: {} }'),
      'tests.yaml:6:14: facts: there is no "devise"; did you mean "device"? [rule-test/invalid-fact]',
    ],
    [
      'a misspelled field',
      TEST('{}', '{ device: { platfrom: macOS } }'),
      'facts.device: there is no "platfrom"; did you mean "platform"?',
    ],
    [
      'a misspelled rule',
      TEST('{ greed: [] }'),
      'tests.yaml:7:15: there is no rule "greed"; did you mean "greet"? [rule-test/unknown-rule]',
    ],
    [
      'a misspelled key',
      TEST('{}').replace('event:', 'evnet:'),
      'tests.yaml:5:5: unknown key "evnet"; did you mean "event"? [rule/unknown-key]',
    ],
    [
      'an unknown platform',
      TEST('{}', '{ device: { platform: MacOS } }'),
      'facts.device.platform is never "MacOS"; did you mean "macOS"?',
    ],
    [
      'a misspelled event type',
      TEST('{}').replace('device.enrolled', 'device.enroled'),
      'tests.yaml:5:5: unknown event type "device.enroled"; did you mean "device.enrolled"? [rule/unknown-event-type]',
    ],
    [
      'a misspelled step',
      TEST('{}') + '    steps: { helo: { message: hi } }\n',
      'tests.yaml:8:14: no step has the id "helo" [rule-test/unknown-step]',
    ],
    [
      'a rule file',
      RULES,
      'tests.yaml: this file holds rules: check it with "mdm-reflex validate tests.yaml"; docs/guides/rule-tests.md describes test files [rule-test/not-a-test-file]',
    ],
    ['a missing folder', '', 'nothing'],
  ])('an error, not a passing test: %s', async (_what, text, message) => {
    await withFiles({ 'rules.yaml': RULES, ...(text !== '' && { 'tests.yaml': text }) });
    const { code, output } = await run(['test', text === '' ? 'nothing' : 'tests.yaml']);
    expect(output).toContain(message);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(78);
  });
});

describe('mdm-reflex test', () => {
  test('all problems of all files are listed', async () => {
    await withFiles({ 'a.yaml': 'tests: [{}]\n', 'b.yaml': 'test: []\n' });
    const { code, output } = await run(['test', '.']);
    expect(output).toContain(
      'a.yaml:1:9: missing key "name": expected a name for the test [rule/missing-key]',
    );
    expect(output).toContain('b.yaml:1:1: unknown key "test"; did you mean "tests"? [rule/unknown-key]');
    expect(output).not.toContain('Invalid');
    expect(code).toBe(78);
  });

  test('a secret is masked, and a failing list fails the test', async () => {
    await withFiles({
      'rules.yaml': `
rules:
  - id: greet
    on: device.enrolled
    do:
      - log: "\${env:PASSWORD}"
      - log: "{{ item }}"
        for_each: '[1 / 0]'
`,
      'tests.yaml': `
rules: rules.yaml
env: { PASSWORD: a-long-password }
tests: [{ name: it, event: device.enrolled, expect: { greet: [log: another, log: one] } }]
`,
    });
    const { code, output } = await run(['test', 'tests.yaml']);
    expect(output).toContain('got log: {"message":"[redacted]"}');
    expect(output).not.toContain('a-long-password');
    expect(output).toMatch(/got log: \{"error":".*division by zero.*"\}/i);
    expect(output).toContain('0 passed, 1 failed');
    expect(code).toBe(1);
  });
});

describe('mdm-reflex init', () => {
  test('avoids the ids of existing rules', async () => {
    simulator = await startSimulator({ apiKey: API_KEY });
    await withFiles({});
    await mkdir(join(folder.path, 'rules'));
    const rule = 'rules: [{ id: note-every-event, on: "*", do: [log: hello] }]\n';
    await writeFile(join(folder.path, 'rules', 'first-rule.yaml'), rule);
    expect((await run(['init', '--out', 'rules/mine.yaml'])).code).toBe(0);
    const text = await readFile(join(folder.path, 'rules', 'mine.yaml'), 'utf8');
    expect(text).toContain('$schema=../rules.schema.json');
    expect(text).toContain('id: note-every-event-2');
    // Two enrollments of the simulator have no name.
    expect(text).toContain('3 (no name)');
    expect(text).not.toMatch(/send_invitation: \{ enrollment: (3|5),/);
    expect(await run(['validate'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('2 files: all good'),
    });
  });

  test.each([
    ['nowhere/x.yaml', 'the parent folder does not exist'],
    ['file/x.yaml', 'a part of the path is a file'],
  ])('an unwritable path (%s) is an error that says why', async (out, why) => {
    simulator = await startSimulator({ apiKey: API_KEY });
    await withFiles({ file: '' });
    const { code, output } = await run(['init', '--out', out]);
    expect(output).toMatch(new RegExp(`^mdm-reflex: --out ${out}: ${why}[^\n]*\n$`));
    expect(code).toBe(78);
  });

  test('writes a valid file from the objects of the account', async () => {
    simulator = await startSimulator({ apiKey: API_KEY });
    const first = await run(['init', '--out', 'first.yaml']);
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('written: first.yaml') });
    const text = await readFile(join(folder.path, 'first.yaml'), 'utf8');
    expect(text).toContain('Remote Employees');
    expect(text).toContain('Say hi');
    const { code, output } = await run(['validate', 'first.yaml']);
    expect(output).toMatch(/^\d rules in 1 file: all good\n$/);
    expect(code).toBe(0);
    expect(await run(['init', '--out', 'first.yaml'])).toMatchObject({
      code: 78,
      output: expect.stringContaining('--out first.yaml: the file exists already'),
    });
  });

  test('reports a refused key', async () => {
    simulator = await startSimulator({ apiKey: 'another key altogether' });
    const { code, output } = await run(['init']);
    expect(code).toBe(78);
    expect(output).toContain('401');
    expect(existsSync(join(folder.path, 'first.yaml'))).toBe(false);
  });
});

describe('mdm-reflex validate', () => {
  const REFERS = `
rules:
  - id: refers
    on: device.enrolled
    if: in_group("Remote Employes")
    do:
      - assign_device_group: { group: Lab Macs }
      - run_script: { script: Say hi }
      - run_script: { script: Say hy }
      - set_attribute: { name: no_such_attribute, value: x }
      - send_invitation: { enrollment: 99999, contact: it@example.org }
      - assign_device_group: { group: "{{ attributes.group }}" }
`;

  test('asks SimpleMDM whether the objects that the rules name exist', async () => {
    simulator = await startSimulator({ apiKey: API_KEY });
    await withFiles({ 'rules.yaml': REFERS });
    const { code, output } = await run(['validate', 'rules.yaml']);
    const messages = output.split('\n').filter((line) => line.startsWith('rules.yaml:'));
    expect(messages).toEqual([
      'rules.yaml:5:18: there is no device group or assignment group "Remote Employes"; did you mean "Remote Employees"? [rule/unknown-reference]',
      'rules.yaml:7:39: there is no device group "Lab Macs" (existing: Default, Remote Employees, Executives, Laptops) [rule/unknown-reference]',
      'rules.yaml:9:31: there is no script "Say hy"; did you mean "Say hi"? [rule/unknown-reference]',
      'rules.yaml:10:32: there is no custom attribute "no_such_attribute" (existing: department, email_address, full_name, local_admin_password) [rule/unknown-reference]',
      'rules.yaml:11:40: there is no enrollment with id 99999 (existing: 3, 4 (Default), 5, 6 (Laptops), 7 (Default)) [rule/unknown-reference]',
      'rules.yaml:12:54: there is no custom attribute "group" (existing: department, email_address, full_name, local_admin_password) [rule/unknown-reference]',
    ]);
    expect(code).toBe(1);
    const offline = await run(['validate', 'rules.yaml', '--offline']);
    expect(offline).toMatchObject({ code: 0, output: expect.stringContaining('not checked: whether') });
  });
});

describe('mdm-reflex validate, without access to SimpleMDM', () => {
  test('with a refused key it says that references were not checked', async () => {
    simulator = await startSimulator({ apiKey: 'another key altogether' });
    await withFiles({ 'rules.yaml': 'rules: [{ id: r, on: device.enrolled, do: [refresh: {}] }]\n' });
    const { code, output } = await run(['validate', 'rules.yaml']);
    expect(code).toBe(0);
    expect(output).toMatch(/^1 rule in 1 file: no problems\nnot checked: .*401/);
    expect(output).not.toContain('all good');
  });

  test('a test file is recognized', async () => {
    await withFiles({ 'tests.yaml': 'rules: rules.yaml\ntests: []\n' });
    const { code, output } = await run(['validate', 'tests.yaml', '--offline']);
    expect(output).toContain(
      'this file holds rule tests: run it with "mdm-reflex test tests.yaml" [rule/not-a-rule-file]',
    );
    expect(output).toContain('1 problem in 1 file');
    expect(code).toBe(1);
  });
});

describe('mdm-reflex channels', () => {
  const CHANNELS = 'channels:\n  chat: { type: slack, url: "${env:CHAT_URL}" }\n';

  test('test sends a message and says so', async () => {
    chat = await startChat();
    await withFiles({ 'rules.yaml': CHANNELS });
    const env = { CHAT_URL: `${chat.url}/secret-path`, RULES_PATH: 'rules.yaml' };
    expect(await run(['channels', 'test', 'chat'], env)).toEqual({
      code: 0,
      output: expect.stringMatching(/^sent to chat \(slack\); 127\.0\.0\.1:\d+ returned 200: ok\n$/),
    });
    expect(chat.requests()).toMatchObject([
      { path: '/secret-path', body: { text: 'Test message from mdm-reflex' } },
    ]);
    expect((await run(['channels', 'list'], env)).output).toMatch(/^chat {2}slack {2}after 10 s/);
  });

  test('test says what the other side answered, without the secret', async () => {
    chat = await startChat();
    chat.answerNext({ status: 404, body: 'no_team' });
    await withFiles({ 'rules.yaml': CHANNELS });
    const env = { CHAT_URL: `${chat.url}/secret-path`, RULES_PATH: 'rules.yaml' };
    const { code, output } = await run(['channels', 'test', 'chat'], env);
    expect(output).toMatch(
      /^mdm-reflex: channel "chat" \(slack\): 127\.0\.0\.1:\d+ returned 404: no_team; check the settings.* \[channel\/refused\]\n$/,
    );
    expect(output).not.toContain('secret-path');
    expect(code).toBe(78);
    const wrong = { ...env, CHAT_URL: `http://${'x'.repeat(64)}.example/secret-path` };
    expect((await run(['channels', 'test', 'chat'], wrong)).output).toContain(
      'the host name does not exist: check its spelling [channel/unreachable]',
    );
    expect((await run(['channels', 'test', 'chats'], env)).output).toContain(
      'there is no channel "chats"; did you mean "chat"? (channels: chat) [channel/missing]',
    );
  });
});

test('mdm-reflex silence and alerts', async () => {
  const redis = await startTestRedis();
  try {
    const env = { REDIS_URL: redis.url };
    expect((await run(['silence', 'list'], env)).output).toBe('no active silences\n');
    const added = await run(
      [
        'silence',
        'add',
        '--match',
        'rule=a',
        '--match',
        'device_name=lab-*',
        '--for',
        '2h',
        '--comment',
        'why',
      ],
      env,
    );
    const id = /^silence (\w+): no alerts for rule=a and device_name=lab-\* until /.exec(added.output)?.[1];
    expect(id).toBeDefined();
    expect((await run(['silence', 'list'], env)).output).toMatch(
      /rule=a and device_name=lab-\* {2}until .* {2}why/,
    );
    expect((await run(['silence', 'remove', id ?? ''], env)).code).toBe(0);
    expect((await run(['silence', 'remove', id ?? ''], env)).output).toContain('there is no silence');
    expect((await run(['silence', 'add', '--match', 'rule'], env)).output).toContain(
      'expected label=pattern',
    );
    expect((await run(['silence', 'add', '--match', 'rule=a', '--for', 'ever'], env)).output).toContain(
      'expected a duration',
    );
    expect((await run(['alerts', 'list'], env)).output).toBe('no waiting alerts, no undelivered messages\n');
    expect((await run(['alerts', 'retry', 'all'], env)).output).toContain(
      'there are no undelivered messages',
    );
    expect((await run(['alerts', 'drop', 'x'], env)).output).toContain('there is no undelivered message "x"');
    expect((await run(['silence', 'add', '--match', 'rul=a'], env)).output).toContain(
      'there is no label "rul"; did you mean "rule"?',
    );
    expect((await run(['schedules'], env)).output).toBe('no rule has a schedule\n');
    expect((await run(['schedules', 'run', 'weekly'], env)).output).toContain(
      'rule "weekly" has no schedule, and no other rule has one',
    );
  } finally {
    await redis.stop();
  }
});
