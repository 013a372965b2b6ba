import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { openAlertStore } from '../../../src/alerts/alert-store.js';
import { openSilences } from '../../../src/alerts/silences.js';
import { channelJobId, openAlertQueue, wakeJob } from '../../../src/queues/queues.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import type { World } from '../../support/world.js';
import { singleShard } from '../../../src/queues/shards.js';

const SECRET = `whsec_${Buffer.from('a secret of the test that is long').toString('base64')}`;

const world = useWorld();
const chat = useChat();
const { post } = world;

const rules = (channel: string, more = '') => `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", secret: "\${env:HOOK_SECRET}", ${channel} }
rules:
  - id: new-devices
    description: New devices
    on: device.enrolled
    do:
      - notify: { channel: desk, title: "{{ device.name }} joined", text: "It is a {{ device.platform }}" }
${more}`;

const start = (text: string, env: Record<string, string> = {}): Promise<World> =>
  world.start({
    rules: text,
    env: {
      HOOK_URL: `${chat.url}/path-that-is-secret`,
      HOOK_SECRET: SECRET,
      PUBLIC_URL: 'https://reflex.example.org/',
      ...env,
    },
  });

const SHORT_WAIT = 'group_wait: 1s';
const posted = z.looseObject({
  data: z.looseObject({
    title: z.string(),
    sections: z.array(z.looseObject({ items: z.array(z.string()) })),
  }),
});
const titles = (): string[] => chat.requests().map(({ body }) => posted.parse(body).data.title);

describe('a message with one alert', () => {
  test('arrives once, signed and with a link; the run does not wait for it, and the trace records the delivery', async () => {
    const { simulator, settled, client } = await start(rules(SHORT_WAIT));
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await settled('device.enrolled');
    expect(trace.alerts).toMatchObject([{ channel: 'desk', title: 'Ada joined' }]);
    const request = await until('the message', () => chat.requests()[0]);
    expect(request.path).toBe('/path-that-is-secret');
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    expect(new Webhook(SECRET).verify(request.text, headers)).toMatchObject({
      type: 'mdm-reflex.alert',
      data: {
        title: 'Ada joined',
        text: 'It is a macOS',
        severity: 'info',
        count: 1,
        fields: { device: 'Ada', rule: 'new-devices', account: 'default' },
        link: `https://reflex.example.org/#${trace.id}`,
      },
    });
    await until(
      'the trace says so',
      async () => (await settled('device.enrolled')).alerts[0]?.status === 'sent',
    );
    const everything = await everythingIn(client);
    expect(everything).not.toContain('path-that-is-secret');
    expect(everything).not.toContain(SECRET);
  });

  test('is retried in order while the service is down', async () => {
    const { simulator, settled } = await start(rules(`${SHORT_WAIT}, group_by: [title]`));
    chat.answerNext({ status: 500 }, { status: 429, headers: { 'Retry-After': '0' } }, { status: 503 });
    simulator.enroll({ kind: 'macbook', name: 'first' });
    await settled('device.enrolled');
    await until('the first attempt', () => chat.requests().length >= 1);
    simulator.enroll({ kind: 'macbook', name: 'second' });
    await until('both have arrived', () => chat.requests().length === 5);
    expect(titles()).toEqual([
      'first joined',
      'first joined',
      'first joined',
      'first joined',
      'second joined',
    ]);
    const ids = chat.requests().map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 4)).size).toBe(1);
  });

  test('that the service rejects becomes undelivered, does not block its channel, and can be requeued', async () => {
    const { simulator, settled, client, log } = await start(rules(`${SHORT_WAIT}, group_by: [title]`));
    chat.answerNext({ status: 404, body: 'no_service' });
    simulator.enroll({ kind: 'macbook', name: 'first' });
    await settled('device.enrolled');
    await until('the rejection', () => chat.requests().length === 1);
    simulator.enroll({ kind: 'macbook', name: 'second' });
    await until('the next one', () => chat.requests().length === 2);
    const store = openAlertStore(singleShard(client));
    const [undelivered] = await until('it is undelivered', async () => {
      const all = await store.undelivered();
      return all.length === 1 && all;
    });
    expect(undelivered?.reason).toMatch(/^127\.0\.0\.1:\d+ returned 404: no_service$/);
    expect(log()).not.toContain('path-that-is-secret');
    expect(await store.requeue(undelivered?.id ?? '')).toMatchObject({ channel: 'desk' });
    await until('it arrives', () => chat.requests().length === 3);
    expect(titles()).toEqual(['first joined', 'second joined', 'first joined']);
  });
});

test('a response that repeats the secret path of the URL is redacted', async () => {
  const { simulator, client, log } = await start(rules(SHORT_WAIT));
  chat.answerNext({ status: 404, body: 'Cannot POST /path-that-is-secret' });
  simulator.enroll({ kind: 'macbook', name: 'Ada' });
  const [undelivered] = await until('it is undelivered', async () => {
    const all = await openAlertStore(singleShard(client)).undelivered();
    return all.length === 1 && all;
  });
  expect(undelivered?.reason).toMatch(/returned 404: Cannot POST \[redacted\]$/);
  expect(await everythingIn(client)).not.toContain('path-that-is-secret');
  expect(log()).not.toContain('path-that-is-secret');
});

test('a temporarily empty rule file loses nothing', async () => {
  const text = rules('group_wait: 3s');
  const { simulator, settled, service, client, env, log } = await start(text);
  const path = env['RULES_PATH'] ?? '';
  simulator.enroll({ kind: 'macbook', name: 'Ada' });
  await settled('device.enrolled');
  await writeFile(path, '');
  await service.reloadRules();
  await until('the channel is missing', () =>
    log().includes('messages wait up to ten minutes for their channel'),
  );
  expect(await openAlertStore(singleShard(client)).undelivered()).toEqual([]);
  await writeFile(path, text);
  await until('the message', () => chat.requests().length === 1);
  expect(titles()).toEqual(['Ada joined']);
});

describe('the delivery policy', () => {
  test('a new group does not wait for a group that is due later', async () => {
    const { simulator, settled } = await start(rules(`${SHORT_WAIT}, group_by: [title], group_interval: 1h`));
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    await until('the first', () => chat.requests().length === 1);
    // The same group again: it is due in an hour.
    const first = await settled('device.enrolled');
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    await until('the channel waits', async () => {
      const newest = await settled('device.enrolled');
      return newest.id !== first.id && newest.alerts[0]?.status === 'queued';
    });
    simulator.enroll({ kind: 'macbook', name: 'Eve' });
    await until('the other group', () => chat.requests().length === 2);
    expect(titles()).toEqual(['Ada joined', 'Eve joined']);
  });

  test('alerts in quick succession are one message with their number and the first ten titles', async () => {
    const { simulator } = await start(rules('group_wait: 3s'));
    for (let number = 1; number <= 25; number += 1)
      simulator.enroll({ kind: 'macbook', name: `Mac ${number}` });
    const request = await until('the message', () => chat.requests()[0]);
    expect(request.body).toMatchObject({
      data: {
        title: '25 × New devices',
        count: 25,
        sections: [{ heading: null, more: 15 }],
        link: 'https://reflex.example.org/?rule=new-devices',
      },
    });
    expect(posted.parse(request.body).data.sections[0]?.items).toHaveLength(10);
    expect(chat.requests()).toHaveLength(1);
  });

  test('a hundred enrollments are one message', async () => {
    const { simulator } = await start(rules('group_wait: 4s'));
    simulator.enrollMany({ count: 100, kind: 'macbook' });
    const request = await until('the message', () => chat.requests()[0]);
    expect(request.body).toMatchObject({
      data: { title: '100 × New devices', count: 100, sections: [{ more: 90 }] },
    });
    expect(posted.parse(request.body).data.sections[0]?.items).toHaveLength(10);
    expect(chat.requests()).toHaveLength(1);
  });

  test('the same alert within repeat_interval is suppressed, and the trace says so', async () => {
    const { simulator, settled } = await start(
      rules(`${SHORT_WAIT}, repeat_interval: 1h, group_by: [title]`),
    );
    const device = simulator.enroll({ kind: 'macbook', name: 'Ada' });
    await until('the message', () => chat.requests().length === 1);
    const [first] = [await settled('device.enrolled')];
    await post({ type: 'device.enrolled', data: { device: { id: device.id, again: 1 } } });
    const trace = await until('the second event', async () => {
      const newest = await settled('device.enrolled');
      return newest.id !== first.id && newest;
    });
    expect(trace.alerts).toMatchObject([{ status: 'repeated' }]);
    simulator.enroll({ kind: 'macbook', name: 'Eve' });
    await until('another message', () => chat.requests().length === 2);
    expect(titles()).toEqual(['Ada joined', 'Eve joined']);
  });

  test('a channel sends no more than its limit; the rest waits', async () => {
    const { simulator } = await start(
      rules(`${SHORT_WAIT}, group_by: [title], limit: { messages: 2, per: 3s }`),
    );
    for (const name of ['a', 'b', 'c']) simulator.enroll({ kind: 'macbook', name });
    await until('all three', () => chat.requests().length === 3);
    expect(new Set(titles()).size).toBe(3);
    const [first, , third] = chat.requests();
    expect((third?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(3000);
  });

  test('a digest combines groups at its scheduled time', async () => {
    const digest = (schedule: string): string =>
      rules(`group_by: [title], digest: { schedule: "${schedule}" }`);
    const { simulator, service, client, env, beforeStop } = await start(digest('0 0 1 1 *'));
    for (const name of ['a', 'b']) simulator.enroll({ kind: 'macbook', name });
    await until('both wait for more than a second', async () => {
      const groups = await openAlertStore(singleShard(client)).openGroups('desk');
      return groups.length === 2 && groups.every(({ firstAt }) => Date.now() > firstAt + 1000);
    });
    // Of every second: both are due.
    await writeFile(env['RULES_PATH'] ?? '', digest('* * * * * *'));
    await service.reloadRules();
    const queue = openAlertQueue(singleShard(client), {
      repeatWindowDays: 7,
      deadLetterDays: 30,
      attempts: 3,
    });
    beforeStop(() => queue.close());
    const request = await until('the digest', async () => {
      await wakeJob(queue, channelJobId('desk'));
      return chat.requests()[0];
    });
    expect(request.body).toMatchObject({ data: { title: '2 alerts', count: 2 } });
  });

  test('a silenced alert is not sent, and the trace says so', async () => {
    const { simulator, settled, client } = await start(rules(SHORT_WAIT));
    await openSilences(singleShard(client)).add({
      match: { rule: 'new-devices', device_name: 'lab-*' },
      until: new Date(Date.now() + 3_600_000).toISOString(),
      comment: 'the lab is rebuilt',
    });
    simulator.enroll({ kind: 'macbook', name: 'lab-7' });
    const trace = await until('it is silenced', async () => {
      const newest = await settled('device.enrolled');
      return newest.alerts[0]?.status === 'silenced' && newest;
    });
    expect(trace.alerts[0]?.reason).toContain('silence');
    simulator.enroll({ kind: 'macbook', name: 'office-1' });
    await until('another message', () => chat.requests().length === 1);
    expect(titles()).toEqual(['office-1 joined']);
  });
});

describe('service alerts', () => {
  const FAILING_RULES = `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", service_alerts: true, group_wait: 1s }
rules:
  - id: fails
    on: device.enrolled
    limit: { runs: 1, per: 1h }
    do:
      - run_script: { script: No such script }`;

  test('report a failed run and a held rule', async () => {
    const { simulator } = await start(FAILING_RULES);
    simulator.enroll({ kind: 'macbook', name: 'Ada' });
    await until('the failure', () => titles().includes('A run of fails failed'));
    simulator.enroll({ kind: 'macbook', name: 'Eve' });
    await until('the hold', () => titles().includes('The rule fails is held'));
  });
});

test('a restart loses nothing', async () => {
  const { simulator, settled, restartService } = await start(rules('group_wait: 2s'));
  simulator.enroll({ kind: 'macbook', name: 'Ada' });
  await settled('device.enrolled');
  await restartService();
  await until('the message', () => chat.requests().length === 1);
  expect(titles()).toEqual(['Ada joined']);
});
