import { describe, expect, test } from '@jest/globals';
import type { Alert } from '../../../src/alerts/alert.js';
import { dedupKeyOf } from '../../../src/alerts/dedup-key.js';
import { composeMessage } from '../../../src/alerts/message.js';
import { alertAbout } from '../channels/messages.js';

const AT = new Date('2026-01-31T08:00:00Z');

describe('a message', () => {
  test('with one alert shows the alert in full', () => {
    expect(composeMessage('m', [{ alerts: [alertAbout('Ada')] }], AT, 'https://r.example')).toEqual({
      id: 'm',
      status: 'triggered',
      key: undefined,
      sequence: undefined,
      to: undefined,
      action: undefined,
      alerts: [expect.objectContaining({ title: 'Ada joined', status: 'triggered' })],
      title: 'Ada joined',
      text: 'A MacBook Pro\nwith macOS 15.1',
      severity: 'info',
      fields: [
        { name: 'Device', value: 'Ada' },
        { name: 'Rule', value: 'new-macs' },
        { name: 'Account', value: 'acme' },
      ],
      sections: [],
      moreGroups: 0,
      count: 1,
      link: 'https://r.example/#0123456789abcdef',
      at: '2026-01-31T08:00:00.000Z',
    });
  });

  test('with equal titles lists the names of the devices', () => {
    const alerts = ['Ada', 'Eve'].map((name) => alertAbout(name, { title: 'A Mac joined' }));
    const { title, sections, fields, link } = composeMessage('m', [{ alerts }], AT, 'https://r.example');
    expect(title).toBe('2 × New Macs');
    expect(sections).toMatchObject([
      { heading: undefined, items: [{ title: 'Ada' }, { title: 'Eve' }], more: 0 },
    ]);
    expect(fields.map(({ name }) => name)).toEqual(['Rule', 'Account']);
    expect(link).toBe('https://r.example/?rule=new-macs');
  });

  test('has the highest severity of its alerts', () => {
    const alerts = [
      alertAbout('a'),
      alertAbout('b', { severity: 'critical' }),
      alertAbout('c', { severity: 'warning' }),
    ];
    expect(composeMessage('m', [{ alerts }], AT, undefined).severity).toBe('critical');
  });

  test('with several groups has a section for each', () => {
    const groups = [
      { alerts: [alertAbout('a'), alertAbout('b')] },
      { alerts: [alertAbout('c', { rule: 'lost', description: undefined })] },
    ];
    const { title, sections, link } = composeMessage('m', groups, AT, 'https://r.example');
    expect(title).toBe('3 alerts');
    expect(sections.map(({ heading }) => heading)).toEqual(['2 × New Macs', '1 × lost']);
    expect(link).toBe('https://r.example');
  });

  test('has a truncated title on one line', () => {
    const { title } = composeMessage(
      'm',
      [{ alerts: [alertAbout('a', { title: `two\nlines ${'x'.repeat(500)}` })] }],
      AT,
      undefined,
    );
    expect(title).toMatch(/^two lines x+…$/);
    expect(title).toHaveLength(200);
  });

  test.each([
    ['', 'New Macs'],
    [' \n\u200b', 'New Macs'],
    ['\u202e', 'New Macs'],
  ])('with an invisible title (%j) uses another title', (title, expected) => {
    const compose = (more: object): string =>
      composeMessage('m', [{ alerts: [alertAbout('a', { title, ...more })] }], AT, undefined).title;
    expect(compose({})).toBe(expected);
    expect(compose({ description: undefined })).toBe('new-macs');
    expect(compose({ description: undefined, rule: undefined })).toBe('Untitled message');
  });

  test('contains no bidirectional overrides, and no control characters except line breaks', () => {
    const deceptive = alertAbout('Ada\u202egnp.exe\u2066', {
      title: 'a\u001b[31m\u0007b\u009f',
      text: 'one\r\ntwo\tand\u0000 a half\u202a\u2028three',
    });
    expect(composeMessage('m', [{ alerts: [deceptive] }], AT, undefined)).toMatchObject({
      title: 'a[31mb',
      text: 'one\ntwo and a half\nthree',
      fields: [{ value: 'Adagnp.exe' }, {}, {}],
    });
  });

  test('counts alerts that are only counted', () => {
    const { title, count, sections } = composeMessage(
      'm',
      [{ alerts: [alertAbout('a')], more: 41 }],
      AT,
      undefined,
    );
    expect({ title, count }).toEqual({ title: '42 × New Macs', count: 42 });
    expect(sections).toMatchObject([{ items: [{ title: 'a' }], more: 41 }]);
  });
});

describe('a message that resolves', () => {
  const resolved = { status: 'resolved', key: 'acme/new-macs/54', severity: 'critical' } as const;

  test('says so in its title and calls nobody', () => {
    expect(composeMessage('m', [{ alerts: [alertAbout('Ada', resolved)] }], AT, undefined)).toMatchObject({
      title: 'Resolved: Ada joined',
      status: 'resolved',
      severity: 'info',
      key: 'acme/new-macs/54',
    });
  });

  test('does not say it twice', () => {
    const alert = alertAbout('Ada', { ...resolved, title: 'Resolved: the disk has room again' });
    expect(composeMessage('m', [{ alerts: [alert] }], AT, undefined).title).toBe(
      'Resolved: the disk has room again',
    );
  });

  test('with others lists which ones are resolved, and has the severity of those that are not', () => {
    const alerts = [alertAbout('Ada', { severity: 'warning' }), alertAbout('Bob', resolved)];
    const message = composeMessage('m', [{ alerts }], AT, undefined);
    expect(message).toMatchObject({ title: '2 × New Macs', status: 'triggered', severity: 'warning' });
    expect(message.sections[0]?.items.map(({ title }) => title)).toEqual([
      'Ada joined',
      'Resolved: Bob joined',
    ]);
  });

  test('alone says how many', () => {
    const alerts = [alertAbout('Ada', resolved), alertAbout('Bob', resolved)];
    expect(composeMessage('m', [{ alerts }], AT, undefined).title).toBe('Resolved: 2 × New Macs');
  });

  test('replaces the last alert about its problem, where a service can', () => {
    const sequence = (more: Partial<Alert>): string | undefined =>
      composeMessage('m', [{ alerts: [alertAbout('Ada', more)] }], AT, undefined).sequence;
    const trigger = sequence({ key: 'k', id: 'the trigger' });
    expect(trigger).toMatch(/^[0-9a-f]{32}$/);
    expect(sequence({ ...resolved, id: 'the resolve', updates: 'the trigger' })).toBe(trigger);
    expect(sequence({ key: 'k', id: 'the next trigger' })).not.toBe(trigger);
    expect(sequence({ key: undefined })).toBeUndefined();
  });
});

test('a message has the key of its alerts only when it is the same for all', () => {
  const key = (...keys: (string | undefined)[]): string | undefined =>
    composeMessage(
      'm',
      [{ alerts: keys.map((one, index) => alertAbout(`a${index}`, { key: one })) }],
      AT,
      undefined,
    ).key;
  expect(key('k', 'k')).toBe('k');
  expect(key('k', 'other')).toBeUndefined();
  expect(key('k', undefined)).toBeUndefined();
});

test('a text of invisible characters is empty', () => {
  const alert = alertAbout('Ada', { text: '\u200b \n\u2060' });
  expect(composeMessage('m', [{ alerts: [alert] }], AT, undefined).text).toBe('');
});

test('what an alert lacks stands below its text', () => {
  const alert = alertAbout('Ada', { text: 'Text', notes: ['title: undefined variable: x', ' \u202e '] });
  expect(composeMessage('m', [{ alerts: [alert] }], AT, undefined).text).toBe(
    'Text\n\n⚠️ title: undefined variable: x',
  );
});

test('the dedup key does not depend on the event, and fits into every service', () => {
  const parts = { account: 'acme', rule: 'low-disk', device: 54, ownKey: '' };
  expect(dedupKeyOf(parts)).toBe('acme/low-disk/54');
  expect(dedupKeyOf({ ...parts, device: undefined })).toBe('acme/low-disk/');
  // A key of the rule: two rules can share it, two accounts cannot.
  expect(dedupKeyOf({ ...parts, ownKey: ' disk-54\n' })).toBe('acme:disk-54');
  expect(dedupKeyOf({ ...parts, ownKey: '\u200b' })).toBe('acme/low-disk/54');
  expect(dedupKeyOf({ ...parts, ownKey: 'x'.repeat(1000) })).toMatch(/^[0-9a-f]{64}$/);
});
