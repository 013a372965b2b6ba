import { describe, expect, test } from '@jest/globals';
import { composeMessage } from '../../../src/alerts/message.js';
import { alertAbout } from '../channels/messages.js';

const AT = new Date('2026-01-31T08:00:00Z');

describe('a message', () => {
  test('of one alert is the alert', () => {
    expect(composeMessage('m', [{ alerts: [alertAbout('Ada')] }], AT, 'https://r.example')).toEqual({
      id: 'm',
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

  test('of several names the devices when all titles are the same', () => {
    const alerts = ['Ada', 'Eve'].map((name) => alertAbout(name, { title: 'A Mac joined' }));
    const { title, sections, fields, link } = composeMessage('m', [{ alerts }], AT, 'https://r.example');
    expect(title).toBe('2 × New Macs');
    expect(sections).toMatchObject([
      { heading: undefined, items: [{ title: 'Ada' }, { title: 'Eve' }], more: 0 },
    ]);
    expect(fields.map(({ name }) => name)).toEqual(['Rule', 'Account']);
    expect(link).toBe('https://r.example/?rule=new-macs');
  });

  test('is as bad as the worst in it', () => {
    const alerts = [
      alertAbout('a'),
      alertAbout('b', { severity: 'critical' }),
      alertAbout('c', { severity: 'warning' }),
    ];
    expect(composeMessage('m', [{ alerts }], AT, undefined).severity).toBe('critical');
  });

  test('of several groups has a section for each', () => {
    const groups = [
      { alerts: [alertAbout('a'), alertAbout('b')] },
      { alerts: [alertAbout('c', { rule: 'lost', description: undefined })] },
    ];
    const { title, sections, link } = composeMessage('m', groups, AT, 'https://r.example');
    expect(title).toBe('3 messages');
    expect(sections.map(({ heading }) => heading)).toEqual(['2 × New Macs', '1 × lost']);
    expect(link).toBe('https://r.example');
  });

  test('has a title of one line that is not endless', () => {
    const { title } = composeMessage(
      'm',
      [{ alerts: [alertAbout('a', { title: `two\nlines ${'x'.repeat(500)}` })] }],
      AT,
      undefined,
    );
    expect(title).toMatch(/^two lines x+…$/);
    expect(title).toHaveLength(200);
  });
});
