import { describe, expect, test } from '@jest/globals';
import { formatEvents } from '../../../src/cli/format-events.js';
import { formatTrace } from '../../../src/cli/format-trace.js';
import { columns, paintFor } from '../../../src/cli/terminal.js';
import type { Paint } from '../../../src/cli/terminal.js';
import type { EventSummary, Trace } from '../../../src/journal/trace.js';
import type { StepRecord } from '../../../src/queues/jobs.js';

const plain: Paint = (_style, text) => text;
const marked: Paint = (style, text) => `<${String(style)}>${text}`;
const ID = '0123456789abcdef'.repeat(4);

const SUMMARY: EventSummary = {
  id: ID,
  account: 'default',
  type: 'device.enrolled',
  at: '2024-01-01T05:00:00.000-07:00',
  receivedAt: '2024-01-01T12:00:01.234Z',
  source: 'webhook',
  data: { device: { id: 121, serial_number: 'C02' } },
  status: 'completed',
  rules: ['onboard', 'notify'],
};

const CALL = {
  account: 'default',
  method: 'GET',
  path: '/devices/121',
  route: '/devices/{DEVICE_ID}',
  status: 200,
  durationMs: 80,
};

const TRACE: Trace = {
  ...SUMMARY,
  alerts: [],
  facts: {
    device: {
      status: 'found',
      value: {},
      fetchedAt: 'x',
      durationMs: 80,
      calls: [CALL, { ...CALL, shared: true }],
    },
    group: { status: 'missing', value: null, fetchedAt: 'x', durationMs: 3, calls: [] },
    apps: {
      status: 'failed',
      value: null,
      fetchedAt: 'x',
      durationMs: 1200,
      error: 'no response in time',
      code: 'api/timeout',
      calls: [
        { ...CALL, path: '/devices/121/installed_apps', status: undefined, error: 'no response in time' },
      ],
    },
  },
  decisions: [
    { rule: 'onboard', verdict: 'matched', reason: 'the rule has no condition', decidedAt: 'x' },
    { rule: 'phones', verdict: 'not_matched', reason: 'device.platform is "macOS"', decidedAt: 'x' },
    { rule: 'broken', verdict: 'error', reason: 'division by zero', decidedAt: 'x' },
    { rule: 'later', verdict: 'waiting', reason: 'no response', code: 'api/timeout', decidedAt: 'x' },
    { rule: 'off', verdict: 'disabled', reason: 'the rule says enabled: false', decidedAt: 'x' },
  ],
  runs: [
    {
      rule: 'onboard',
      status: 'failed',
      plannedAt: 'x',
      reason: 'step 2 (run_script): there is no script "Hi"',
      code: 'step/failed',
      steps: [
        {
          action: 'assign_device_group',
          status: 'completed',
          attempts: 3,
          output: { group_id: 7, group_name: 'Laptops' },
          calls: [CALL, { ...CALL, method: 'POST', path: '/device_groups/7/devices/121', status: 202 }],
        },
        {
          action: 'run_script',
          status: 'failed',
          attempts: 1,
          reason: 'there is no script "Hi"',
          code: 'step/failed',
          calls: [],
        },
        { action: 'log', status: 'skipped', attempts: 1, reason: 'not today', calls: [] },
        { action: 'log', status: 'retrying', attempts: 2, reason: '503', calls: [] },
        { action: 'log', status: 'running', attempts: 1, calls: [] },
        { action: 'log', status: 'pending', attempts: 0, calls: [] },
      ],
    },
  ],
};

describe('columns', () => {
  test('align, two spaces apart, without trailing spaces', () => {
    expect(
      columns([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
        ['', '', 'last'],
      ]),
    ).toEqual(['a    bb  c', 'aaa  b', '         last']);
    expect(columns([])).toEqual([]);
  });

  test('ignore color codes', () => {
    const [one = '', other = ''] = columns([
      ['\u001b[1mab\u001b[22m', 'x'],
      ['abcd', 'y'],
    ]);
    // eslint-disable-next-line no-control-regex -- matches the escape character
    expect(one.replace(/\u001b\[\d+m/g, '').indexOf('x')).toBe(other.indexOf('y'));
  });
});

describe('paintFor', () => {
  test.each<[boolean | undefined, NodeJS.ProcessEnv]>([
    [false, {}],
    [undefined, {}],
    [true, { NO_COLOR: '1' }],
    [true, { FORCE_COLOR: '0' }],
    [false, { FORCE_COLOR: '0' }],
  ])('plain when isTTY is %s and the environment is %j', (isTTY, env) => {
    expect(paintFor(isTTY === undefined ? {} : { isTTY }, env)('red', 'x')).toBe('x');
  });

  test.each<[boolean, NodeJS.ProcessEnv]>([
    [true, {}],
    [false, { FORCE_COLOR: '1' }],
    [true, { FORCE_COLOR: '1', NO_COLOR: '1' }],
    // https://no-color.org: "when present and not an empty string"
    [true, { NO_COLOR: '' }],
  ])('colored when isTTY is %s and the environment is %j', (isTTY, env) => {
    expect(paintFor({ isTTY }, env)('red', 'x')).toBe('\u001b[31mx\u001b[39m');
  });
});

describe('formatEvents', () => {
  test('no events', () => {
    expect(formatEvents([], plain)).toBe(
      'No events yet. Send a test webhook in SimpleMDM (Settings, Webhooks).',
    );
  });

  test('a heading, then one line per event', () => {
    const lines = formatEvents(
      [
        SUMMARY,
        { ...SUMMARY, type: 'test_event', data: {}, status: 'no_match', rules: [] },
        { ...SUMMARY, status: 'failed', reason: 'step 1 (log): it broke', code: 'step/failed' },
      ],
      plain,
    ).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['ID', 'RECEIVED (UTC)', 'TYPE', 'DEVICE', 'STATUS', 'RULES OR REASON'],
      ['0123456789ab', '2024-01-01 12:00:01', 'device.enrolled', 'C02', 'completed', 'onboard, notify'],
      ['0123456789ab', '2024-01-01 12:00:01', 'test_event', '-', 'no rule matched'],
      [
        '0123456789ab',
        '2024-01-01 12:00:01',
        'device.enrolled',
        'C02',
        'failed',
        'step 1 (log): it broke [step/failed]',
      ],
    ]);
    const starts = lines.slice(1).map((line) => line.indexOf('2024'));
    expect(new Set(starts).size).toBe(1);
  });

  test.each([
    ['queued', '<cyan>queued'],
    ['processing', '<cyan>processing'],
    ['waiting', '<yellow>waiting'],
    ['completed', '<green>completed'],
    ['failed', '<red>failed'],
    ['no_match', '<gray>no rule matched'],
  ] as const)('%s has its color', (status, expected) => {
    expect(formatEvents([{ ...SUMMARY, status }], marked)).toContain(expected);
  });

  test('an odd webhook is marked', () => {
    const [, line] = formatEvents([{ ...SUMMARY, status: 'completed', warnings: ['x'] }], plain).split('\n');
    expect(line).toContain('completed (odd)');
  });

  // Anyone who posts a webhook chooses the serial number.
  test('the content of a webhook cannot move the cursor or start a line', () => {
    const data = { device: { id: 1, serial_number: 'C02\u001b[2J\nforged  line' } };
    const lines = formatEvents([{ ...SUMMARY, data }], plain).split('\n');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('\u001b');
  });
});

test('an odd webhook: its warnings, and what was sent beside the event', () => {
  const odd = {
    ...TRACE,
    warnings: ['at is missing: the time of receipt is used', 'a \u001b[31mred\u001b[0m one'],
    original: { sender: 'proxy' },
  };
  const shown = formatTrace(odd, plain).split('\n');
  const at = shown.indexOf('  warnings');
  expect(shown.slice(at + 1, at + 4).map((line) => line.trim())).toEqual([
    '!  at is missing: the time of receipt is used',
    expect.stringMatching(/^! {2}a .*red.* one$/),
    'as sent: {"sender":"proxy"}',
  ]);
  expect(shown.join()).not.toContain('\u001b');
});

describe('formatTrace', () => {
  const lines = formatTrace(TRACE, plain).split('\n');
  const cells = (title: string): string[][] => {
    return cellsOf(lines, title);
  };
  const cellsOf = (shown: readonly string[], title: string): string[][] => {
    const start = shown.indexOf(`  ${title}`);
    expect(start).toBeGreaterThan(0);
    const rest = shown.slice(start + 1);
    const end = rest.findIndex((line) => !line.startsWith('    '));
    return rest.slice(0, end === -1 ? rest.length : end).map((line) => line.trim().split(/ {2,}/));
  };

  test('the first line: type, status, short id, account', () => {
    expect(lines[0]).toBe('device.enrolled  completed  0123456789ab  account default');
  });

  test('the received event', () => {
    expect(cells('received')).toEqual([['device 121, serial number C02, at 2024-01-01T05:00:00.000-07:00']]);
    const other = formatTrace(
      { ...TRACE, source: 'replay', data: { device: { serial_number: 'C02' } } },
      plain,
    );
    expect(other).toContain(
      'device (no id yet), serial number C02, at 2024-01-01T05:00:00.000-07:00 (replay)',
    );
    expect(formatTrace({ ...TRACE, data: { a: 1 } }, plain)).toContain('{"a":1}, at 2024');
  });

  test('the facts', () => {
    expect(cells('facts')).toEqual([
      ['device', 'found', '80 ms', 'GET /devices/121 → 200, GET /devices/121 → 200 (shared)'],
      ['group', 'missing', '3 ms', '(cached)'],
      [
        'apps',
        'failed',
        '1200 ms',
        'GET /devices/121/installed_apps → no response: no response in time [api/timeout]',
      ],
    ]);
  });

  test('each rule with its verdict and reason', () => {
    expect(cells('rules')).toEqual([
      ['✔ matched', 'onboard', 'the rule has no condition'],
      ['· no match', 'phones', 'device.platform is "macOS"'],
      ['✘ error', 'broken', 'division by zero'],
      ['… waiting', 'later', 'no response [api/timeout]'],
      ['- disabled', 'off', 'the rule says enabled: false'],
    ]);
  });

  test('each step with its result; reads are not shown as sent', () => {
    expect(cells('run of onboard  ✘ failed')).toEqual([
      ['step 2 (run_script): there is no script "Hi" [step/failed]'],
      [
        '1',
        '✔ completed (attempt 3)',
        'assign_device_group',
        'group_id 7, group_name "Laptops"',
        'POST /device_groups/7/devices/121 → 202',
      ],
      ['2', '✘ failed', 'run_script', 'there is no script "Hi" [step/failed]'],
      ['3', '- skipped', 'log', 'not today'],
      ['4', '… retrying (attempt 2)', 'log', '503'],
      ['5', '… running', 'log'],
      ['6', '- not reached', 'log'],
    ]);
  });

  test('reasons only when there are some; no empty sections', () => {
    const bare: Trace = { ...TRACE, facts: {}, decisions: [], runs: [] };
    expect(formatTrace(bare, plain).split('\n')).toHaveLength(3);
    const processing = {
      state: 'waiting',
      attempts: 1,
      at: 'x',
      reason: 'the account is paused',
      code: 'api/account-paused',
    } as const;
    const shown = formatTrace({ ...bare, processing }, plain).split('\n');
    expect(shown.slice(1, 3)).toEqual([
      '  reasons',
      '    the event  the account is paused [api/account-paused]',
    ]);
    expect(shown).not.toContain('  facts');
    expect(shown).not.toContain('  rules');
    expect(shown).toHaveLength(5);
  });

  test('each of several runs has its status and reason', () => {
    const log = { action: 'log', attempts: 0, calls: [] };
    const runs: Trace['runs'] = [
      {
        rule: 'held',
        status: 'waiting',
        plannedAt: 'x',
        reason: 'the run limit is exceeded',
        steps: [{ ...log, status: 'pending' }],
      },
      {
        rule: 'replaced',
        status: 'completed',
        plannedAt: 'x',
        reason: 'replaced by a later run',
        steps: [{ ...log, status: 'skipped', reason: 'replaced by a later run' }],
      },
      { rule: 'fine', status: 'completed', plannedAt: 'x', steps: [{ ...log, status: 'completed' }] },
    ];
    const shown = formatTrace({ ...TRACE, runs }, plain).split('\n');
    expect(cellsOf(shown, 'reasons')).toEqual([
      ['held', 'the run limit is exceeded'],
      ['replaced', 'replaced by a later run'],
    ]);
    expect(cellsOf(shown, 'run of held  … waiting')).toEqual([
      ['the run limit is exceeded'],
      ['1', '- pending', 'log'],
    ]);
    expect(cellsOf(shown, 'run of replaced  ✔ completed')).toEqual([
      ['replaced by a later run'],
      ['1', '- skipped', 'log', 'replaced by a later run'],
    ]);
    expect(cellsOf(shown, 'run of fine  ✔ completed')).toEqual([['1', '✔ completed', 'log']]);
  });

  test('a step with for_each names its items once', () => {
    const step: StepRecord = { action: 'install_app', status: 'completed', attempts: 1, calls: [] };
    const itemRecords = [{ ...step, output: { app_id: 1 } }, step];
    const output = { count: 2, items: [{ status: 'completed', app_id: 1 }, { status: 'completed' }] };
    const items = ['Xcode', { id: 7, name: 'Slack' }];
    const runs: Trace['runs'] = [
      { rule: 'apps', status: 'completed', plannedAt: 'x', steps: [{ ...step, items, itemRecords, output }] },
    ];
    expect(cellsOf(formatTrace({ ...TRACE, runs }, plain).split('\n'), 'run of apps  ✔ completed')).toEqual([
      ['1', '✔ completed', 'install_app', 'count 2'],
      ['1.1', '✔ completed', 'for Xcode', 'app_id 1'],
      ['1.2', '✔ completed', 'for Slack'],
    ]);
  });

  test('a rule that ignores an own action says so', () => {
    const reason = 'caused by the rule onboard';
    const decisions: Trace['decisions'] = [
      { rule: 'other', verdict: 'not_matched', ownAction: true, reason, decidedAt: 'x' },
    ];
    const shown = formatTrace({ ...TRACE, status: 'no_match', ownAction: true, decisions }, plain);
    expect(shown).toMatch(/^device\.enrolled {2}ignored: own action/);
    expect(cellsOf(shown.split('\n'), 'rules')).toEqual([['- ignored', 'other', reason]]);
  });

  test('a notify step names its channels, an http_request step its URL', () => {
    const call = { ...CALL, path: 'https://tickets.example.org/api', route: 'http_request' };
    const runs: Trace['runs'] = [
      {
        rule: 'notify',
        status: 'completed',
        plannedAt: 'x',
        steps: [
          { action: 'http_request', status: 'completed', attempts: 1, calls: [call] },
          { action: 'notify', status: 'completed', attempts: 1, output: { title: 'New' }, calls: [] },
        ],
      },
    ];
    const alert = { id: `${ID}.notify.1`, title: 'New', status: 'sent', at: 'x' } as const;
    const alerts = ['it-chat', 'desk'].map((channel) => ({ ...alert, channel }));
    const shown = formatTrace({ ...TRACE, runs, alerts }, plain).split('\n');
    expect(cellsOf(shown, 'run of notify  ✔ completed')).toEqual([
      ['1', '✔ completed', 'http_request', 'GET https://tickets.example.org/api → 200'],
      ['2', '✔ completed', 'notify', 'title "New"', 'to it-chat, desk'],
    ]);
  });
});
