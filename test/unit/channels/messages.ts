import type { Alert } from '../../../src/alerts/alert.js';
import { composeMessage } from '../../../src/alerts/message.js';
import type { Message } from '../../../src/alerts/message.js';

const AT = new Date('2026-01-31T08:00:00Z');
const CONSOLE = 'https://reflex.example.org';

/** An alert about a device. */
export function alertAbout(name: string, more: Partial<Alert> = {}): Alert {
  return {
    id: `run-of-${name}`,
    channel: 'it-chat',
    account: 'acme',
    rule: 'new-macs',
    description: 'New Macs',
    event: { id: '0123456789abcdef', type: 'device.enrolled' },
    device: { id: 54, name },
    title: `${name} joined`,
    text: 'A MacBook Pro\nwith macOS 15.1',
    severity: 'info',
    labels: {},
    status: 'triggered',
    at: AT.toISOString(),
    ...more,
  };
}

const compose = (...groups: Alert[][]): Message =>
  composeMessage(
    'message-1',
    groups.map((alerts) => ({ alerts })),
    AT,
    CONSOLE,
  );

const many = (count: number, more: Partial<Alert> = {}): Alert[] =>
  Array.from({ length: count }, (_unused, index) => alertAbout(`Mac ${index + 1}`, more));

/** One message of each kind. */
export const MESSAGES: Readonly<Record<string, Message>> = {
  one: compose([alertAbout('Ada')]),
  many: compose(many(500)),
  digest: compose(many(3), many(12, { rule: 'lost', description: 'Lost iPads', severity: 'warning' })),
  hostile: compose([
    alertAbout('<!channel> @everyone', {
      title: '<!channel> @everyone [click](https://evil.example) <b>bold</b> *x* & "y"',
      text: '<script>alert(1)</script> <@U123> [click](https://evil.example) {{ 7 | plus: 1 }}',
      severity: 'critical',
    }),
  ]),
  bare: composeMessage(
    'message-2',
    [{ alerts: [{ ...alertAbout('x'), device: undefined, rule: undefined, event: undefined, text: '' }] }],
    AT,
    undefined,
  ),
  /** An e-mail for a large fleet, with more groups and lines than it shows. */
  fleet: composeMessage(
    'message-3',
    Array.from({ length: 12 }, (_unused, group) => ({
      alerts: many(group === 0 ? 120 : 3, {
        rule: `rule-${group}`,
        description: `管理対象のデバイス ${group}`,
      }),
      more: group === 0 ? 900 : 0,
    })),
    AT,
    CONSOLE,
    100,
  ),
  /** A problem that is over. */
  resolved: compose([alertAbout('Ada', { key: 'acme/new-macs/54', status: 'resolved', updates: 'earlier' })]),
  /** A question to a person. */
  question: compose([
    alertAbout('Ada', {
      title: 'Approve: wipe Ada',
      link: { url: 'https://reflex.example.org/approvals/x_*y?a=1&b=<2>', label: 'Approve or reject' },
      immediate: true,
    }),
  ]),
  endless: compose([alertAbout('Ada', { title: 'long '.repeat(1000), text: 'word '.repeat(5000) })]),
};
