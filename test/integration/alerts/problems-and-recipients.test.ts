import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { startMailbox } from '../../support/mailbox.js';
import type { Mailbox } from '../../support/mailbox.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';

const world = useWorld();
const chat = useChat();

let mailbox: Mailbox;

beforeEach(async () => {
  mailbox = await startMailbox();
});
afterEach(() => mailbox.close());

const RULES = `
channels:
  pager: { type: pagerduty, routing_key: "\${env:PAGER_KEY}", url: "\${env:PAGER_URL}", group_wait: 1s }
  mail:
    type: email
    server: "\${env:SMTP_URL}"
    from: mdm@example.org
    to: it@example.org
    to_domains: [example.org]
    allow_insecure: true
    group_wait: 1s
rules:
  - id: lost
    description: A device is lost
    on: device.lock.enabled
    do:
      - notify: { channel: pager, title: "{{ device.name }}", severity: critical }
  - id: found
    on: device.changed_group
    do:
      - notify: { channel: pager, resolve: true, key: "lost-{{ device.id }}" }
  - id: lost-with-a-key
    on: acme.lost
    do:
      - notify: { channel: pager, title: Lost, key: "lost-{{ device.id }}" }
  - id: welcome
    description: Welcome mail
    on: acme.welcome
    do:
      - notify:
          channel: mail
          to: "{{ event.data.email }}"
          title: "Welcome, {{ event.data.name }}"
          text: "Your Mac is ready."
`;

const pagerEvent = z.object({ event_action: z.string(), dedup_key: z.string() });
const pages = () => chat.requests().map(({ body }) => pagerEvent.parse(body));

test('an incident has the same key for each event of a device, and another rule resolves it by its key', async () => {
  const { simulator, settled, post } = await world.start({
    rules: RULES,
    env: { PAGER_KEY: 'the-routing-key', PAGER_URL: `${chat.url}/v2/enqueue`, SMTP_URL: mailbox.url },
  });
  const { id } = simulator.enroll({ kind: 'macbook', name: '\u200b' });
  const data = (more: number) => ({ device: { id }, more });
  await post({ type: 'device.lock.enabled', data: data(1) });
  await until('the first page', () => pages().length === 1);
  // An invisible name: the page names the device by its serial number.
  const trace = await settled('device.lock.enabled');
  expect(trace.alerts[0]?.title).toMatch(/^A device is lost: \S+/);
  expect(trace.runs[0]?.steps[0]).toMatchObject({ status: 'completed', code: 'alert/incomplete' });
  await post({ type: 'acme.lost', data: data(2) });
  await until('the second page', () => pages().length === 2);
  await post({ type: 'device.changed_group', data: data(3) });
  await until('its end', () => pages().length === 3);
  expect(pages()).toEqual([
    { event_action: 'trigger', dedup_key: `default/lost/${id}` },
    { event_action: 'trigger', dedup_key: `default:lost-${id}` },
    { event_action: 'resolve', dedup_key: `default:lost-${id}` },
  ]);
});

test('a welcome mail goes to its reader, and to the help desk when the address is not allowed', async () => {
  const { simulator, settled, post } = await world.start({
    rules: RULES,
    env: {
      PAGER_KEY: 'the-routing-key',
      PAGER_URL: chat.url,
      SMTP_URL: mailbox.url,
      PUBLIC_URL: 'https://reflex.example.org/',
    },
  });
  const { id } = simulator.enroll({ kind: 'macbook', name: 'Ada' });
  const welcome = (name: string, email: string) =>
    post({ type: 'acme.welcome', data: { device: { id }, name, email } });
  await welcome('Ada', 'ada@example.org');
  await until('the first mail', () => mailbox.mails().length === 1);
  await welcome('Eve', 'eve@evil.example,ada@example.org');
  await until('the second mail', () => mailbox.mails().length === 2);
  expect(mailbox.mails()).toMatchObject([
    { hello: 'reflex.example.org', to: ['ada@example.org'], subject: 'Welcome, Ada' },
    {
      to: ['it@example.org'],
      subject: 'Welcome, Eve',
      text: expect.stringContaining('could not be sent there'),
    },
  ]);
  const trace = await until('the trace says so', async () => {
    const newest = await settled('acme.welcome');
    return newest.alerts[0]?.status === 'sent' && newest;
  });
  expect(trace.alerts).toMatchObject([
    {
      status: 'sent',
      code: 'channel/recipient-not-allowed',
      reason:
        'not sent to "eve@evil.example,ada@example.org", which is no plain e-mail address; sent to the recipients of the channel instead: it@example.org',
    },
  ]);
});
