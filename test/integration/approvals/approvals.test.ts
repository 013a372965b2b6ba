import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { answerApproval, listApprovals } from '../../../src/cli/approvals.js';
import { readSettings } from '../../../src/config/settings.js';
import { openApprovals } from '../../../src/coordination/approvals.js';
import type { Trace } from '../../../src/journal/trace.js';
import { openRunQueue } from '../../../src/queues/queues.js';
import { everythingIn } from '../../support/redis.js';
import { until } from '../../support/until.js';
import { useChat } from '../../support/use-chat.js';
import { useWorld } from '../../support/use-world.js';
import { ADMIN_TOKEN } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

const world = useWorld();
const chat = useChat();

const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const HOSTILE = '<script>alert(1)</script>\u202e, serial number C02FAKE';

const rules = (rule: string): string => `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", group_wait: 1s }
rules:
  - id: erase
    on: device.changed_group
    allow: [destructive]
${rule}
`;
const ON_STEP = `    do:
      - log: 'about to erase'
      - wipe: { pin: '\${env:WIPE_PIN}' }
        approve: { channel: desk, timeout: 1h }
      - log: 'erased {{ device.name }}'`;
const ON_RULE = `    approve: { channel: desk, timeout: 1h }
    do:
      - wipe: { pin: '\${env:WIPE_PIN}' }`;

async function begin(rule = ON_STEP, env: Record<string, string> = {}): Promise<World> {
  return world.start({
    rules: rules(rule),
    env: { HOOK_URL: chat.url, WIPE_PIN: '471147', PUBLIC_URL: 'https://reflex.example.org', ...env },
  });
}

let webhooks = 0;

/** Posts a webhook about a device whose run asks for an approval, and waits until it waits. */
async function ask(device = 121): Promise<Trace> {
  webhooks += 1;
  const at = new Date(Date.UTC(2026, 0, 1) + webhooks * 1000).toISOString();
  await world.post({
    type: 'device.changed_group',
    at,
    data: { device: { id: device, udid: null, serial_number: null } },
  });
  return traceWhen(at, (trace) => trace.runs[0]?.approvals?.length === 1);
}

const traceWhen = (at: string, isReached: (trace: Trace) => boolean): Promise<Trace> =>
  until('the run has come this far', async () => {
    const trace = await world.settled('device.changed_group', ['waiting', 'completed', 'failed']);
    return trace.at === at && isReached(trace) && trace;
  });

const ended = ({ at }: Trace): Promise<Trace> =>
  traceWhen(at, ({ status }) => status === 'completed' || status === 'failed');

const posted = z.looseObject({
  data: z.looseObject({
    title: z.string(),
    text: z.string(),
    action: z.looseObject({ url: z.string(), label: z.string() }).nullish(),
  }),
});
const message = (): Promise<z.output<typeof posted>['data']> =>
  until('the message', () => {
    const [first] = chat.requests();
    return first && posted.parse(first.body).data;
  });

/** The page of the link, at the address of this service. */
async function page(): Promise<string> {
  return ((await message()).action?.url ?? '').replace('https://reflex.example.org', world.service.url);
}

const post = (
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> => fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });

const wipes = (): string[] => world.calls().filter((call) => /POST .*\/wipe$/.test(call));

const rename = (name: string): Promise<Response> =>
  fetch(`${world.simulator.url}/devices/121`, {
    method: 'PATCH',
    headers: {
      Authorization: `Basic ${Buffer.from(`${world.env['SIMPLEMDM_API_KEY'] ?? ''}:`).toString('base64')}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ name }),
  });

test('the step waits, the link shows what will happen and changes nothing, Approve lets it run, and the trace tells who', async () => {
  const { client, log } = await begin();
  await rename(HOSTILE);
  const waiting = await ask();
  expect(waiting).toMatchObject({
    status: 'waiting',
    code: 'run/awaiting-approval',
    runs: [{ steps: [{ status: 'completed' }, { status: 'pending' }, { status: 'pending' }] }],
  });
  const { title, text } = await message();
  expect(title).toMatch(/^Approve wipe for /);
  expect(text).toContain('• wipe: pin: ${env:WIPE_PIN}');

  const url = await page();
  const token = url.slice(url.lastIndexOf('/') + 1);
  expect(token).toMatch(/^[\w-]{43}$/);
  // A chat that shows previews opens the link before people do.
  for (const method of ['GET', 'HEAD', 'GET']) {
    const response = await fetch(url, { method });
    expect(response.status).toBe(200);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
    const html = await response.text();
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('471147');
    if (method === 'GET') {
      // A name can neither turn the text that follows around, nor pretend to be another field.
      expect(html).toContain('<dd>&lt;script&gt;alert(1)&lt;/script&gt;, serial number C02FAKE</dd>');
      expect(html).toContain('<dt>Serial number</dt><dd>DNFJE9DNG5MG</dd>');
    }
  }
  expect(wipes()).toEqual([]);
  expect(await openApprovals(singleShard(client)).list()).toHaveLength(1);

  const answer = await post(
    url,
    { answer: 'approved', name: ' Ada\u202e <b>\n ' },
    { 'Sec-Fetch-Site': 'same-origin' },
  );
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('Approved by Ada &lt;b&gt;');
  const done = await ended(waiting);
  expect(done).toMatchObject({
    status: 'completed',
    runs: [
      {
        approvals: [
          {
            place: '1',
            answer: 'approved',
            by: 'Ada <b>',
            via: 'link',
            address: expect.stringContaining('127.0.0.1'),
          },
        ],
        steps: [{}, { status: 'completed' }, { status: 'completed' }],
      },
    ],
  });
  expect(wipes()).toEqual(['POST /devices/121/wipe']);

  const again = await post(url, { answer: 'rejected' });
  expect(again.status).toBe(409);
  expect(await again.text()).toContain('Approved by Ada');
  expect(await (await fetch(url)).text()).not.toContain('<form');
  expect(wipes()).toHaveLength(1);
  const everything = await everythingIn(client);
  expect(everything).not.toContain(token);
  expect(everything).not.toContain('471147');
  expect(log()).not.toContain(token);
  expect(await (await fetch(`${world.service.url}/metrics`)).text()).not.toContain(token);
  expect(await world.metric('mdm_reflex_approvals_total{rule="erase",answer="approved"}')).toBe(1);
});

test('Reject skips the steps; a page of another site, a wrong form and a wrong link change nothing', async () => {
  await begin();
  const waiting = await ask();
  const url = await page();
  expect((await post(url, { answer: 'rejected' }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  expect((await post(url, { answer: 'maybe' })).status).toBe(400);
  expect((await post(url, { answer: 'approved', name: 'x'.repeat(5000) })).status).toBe(400);
  expect((await post(url.slice(0, -1), { answer: 'approved' })).status).toBe(404);
  expect((await fetch(`${url.slice(0, -43)}${'x'.repeat(43)}`)).status).toBe(404);
  expect((await post(url, { answer: 'rejected', name: 'Bob' })).status).toBe(200);
  expect(await ended(waiting)).toMatchObject({
    status: 'completed',
    runs: [
      {
        code: 'run/rejected',
        reason: 'rejected by Bob (link)',
        steps: [{ status: 'completed' }, { status: 'skipped', code: 'run/rejected' }, { status: 'skipped' }],
      },
    ],
  });
  expect(wipes()).toEqual([]);
});

test('an address that tries links gets 429', async () => {
  await begin();
  const statuses: number[] = [];
  for (let index = 0; index < 25; index += 1)
    statuses.push((await fetch(`${world.service.url}/approve/${String(index).padStart(43, 'x')}`)).status);
  expect([...new Set(statuses)]).toEqual([404, 429]);
});

describe('an approval of a rule', () => {
  test('comes before the first step, survives a restart, and the console answers it', async () => {
    const { client, restartService } = await begin(ON_RULE);
    const waiting = await ask();
    expect(waiting.runs[0]?.steps).toMatchObject([{ status: 'pending' }]);
    await restartService();
    const [request] = await openApprovals(singleShard(client)).list();
    const api = (path: string, method: string, token = ADMIN_TOKEN): Promise<Response> =>
      fetch(`${world.service.url}/api/${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
    expect(await (await api('status', 'GET')).json()).toMatchObject({
      approvals: [{ id: request?.id, rule: 'erase' }],
    });
    const path = `approvals/${request?.id ?? ''}/approve`;
    expect((await api(path, 'POST', 'a-wrong-token-of-the-test')).status).toBe(401);
    expect((await api(path, 'POST')).status).toBe(200);
    expect(await ended(waiting)).toMatchObject({
      runs: [
        {
          approvals: [{ place: 'run', answer: 'approved', via: 'console' }],
          steps: [{ status: 'completed' }],
        },
      ],
    });
    expect((await api(path, 'POST')).status).toBe(409);
    expect((await api('approvals/no-such-one/reject', 'POST')).status).toBe(404);
  });

  test('is answered on the command line as well; without PUBLIC_URL the message says how', async () => {
    const { client, env } = await begin(ON_RULE, { PUBLIC_URL: '' });
    const waiting = await ask();
    const { text, action } = await message();
    expect(action ?? undefined).toBeUndefined();
    const [, id = ''] = /mdm-reflex approvals reject (\w+)/.exec(text) ?? [];
    expect(await listApprovals(openShards(client), false)).toMatch(
      new RegExp(`${id} +default +erase +.+ wipe`),
    );
    const ready = await (await fetch(`${world.service.url}/readyz`)).text();
    expect(ready).toContain('1 run waits for an approval: mdm-reflex approvals list');
    expect(ready).not.toContain(id);
    const settings = readSettings(env, []);
    expect(await answerApproval(openShards(client), settings, id, 'rejected', 'Cleo')).toMatch(/^rejected: /);
    expect(await ended(waiting)).toMatchObject({ runs: [{ reason: 'rejected by Cleo (command line)' }] });
    await expect(answerApproval(openShards(client), settings, id, 'approved', 'Cleo')).rejects.toThrow(
      /rejected by Cleo/,
    );
    await expect(answerApproval(openShards(client), settings, 'none', 'approved', 'Cleo')).rejects.toThrow(
      /nothing waits/,
    );
    expect(await listApprovals(openShards(client), false)).toBe('nothing waits for an approval');
    expect(wipes()).toEqual([]);
  });

  test('is withdrawn when the rule is disabled meanwhile', async () => {
    const { client, env, service } = await begin(ON_RULE);
    const waiting = await ask();
    const url = await page();
    await writeFile(env['RULES_PATH'] ?? '', rules(`    enabled: false\n${ON_RULE}`));
    await service.reloadRules();
    await wakeRuns(client);
    expect(await ended(waiting)).toMatchObject({ runs: [{ code: 'run/rule-changed' }] });
    expect(await openApprovals(singleShard(client)).list()).toEqual([]);
    const html = await (await fetch(url)).text();
    expect(html).toContain('No longer needed');
  });

  test('is asked for again when a replay has other steps than those that were approved, and only then', async () => {
    const failing = (more: string): string =>
      `    approve: { channel: desk, timeout: 1h }
    do:
      - set_attribute: { name: department, value: retired }${more}`;
    const { client, env, simulator, service } = await begin(failing(''));
    const refuse = (): void =>
      simulator.addFault({
        method: 'PUT',
        path: '/devices/121/custom_attribute_values/department',
        kind: 'status',
        status: 422,
        times: 1,
      });
    const replayed = async ({ id }: Trace): Promise<number> =>
      (
        await fetch(`${service.url}/api/events/${id}/replay`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
        })
      ).status;
    refuse();
    const asked = await ask();
    await post(await page(), { answer: 'approved' });
    const failed = await ended(asked);
    expect(failed.status).toBe('failed');
    // The same steps: nobody is asked, and the run fails again.
    refuse();
    expect(await replayed(failed)).toBe(202);
    await traceWhen(
      failed.at,
      ({ runs }) => runs[0]?.status === 'failed' && runs[0].steps[0]?.attempts === 2,
    );
    expect(await openApprovals(singleShard(client)).list()).toEqual([]);

    await writeFile(env['RULES_PATH'] ?? '', rules(failing('\n      - wipe: {}')));
    await service.reloadRules();
    expect(await replayed(failed)).toBe(202);
    await traceWhen(failed.at, ({ runs }) => runs[0]?.approvals?.length === 2);
    expect(await openApprovals(singleShard(client)).list()).toMatchObject([
      { steps: [{ action: 'set_attribute' }, { action: 'wipe' }] },
    ]);
    expect(wipes()).toEqual([]);
  });

  test('holds the run back that was planned before the rule had it', async () => {
    const { env, service, client } = await begin('    do:\n      - wait: 1s\n      - wipe: {}');
    webhooks += 1;
    const at = new Date(Date.UTC(2026, 0, 1) + webhooks * 1000).toISOString();
    await world.post({
      type: 'device.changed_group',
      at,
      data: { device: { id: 121, udid: null, serial_number: null } },
    });
    await writeFile(
      env['RULES_PATH'] ?? '',
      rules('    do:\n      - wait: 1s\n      - wipe: {}\n        approve: { channel: desk }'),
    );
    await service.reloadRules();
    await traceWhen(at, ({ runs }) => runs[0]?.approvals?.length === 1);
    expect(await openApprovals(singleShard(client)).list()).toMatchObject([{ steps: [{ action: 'wipe' }] }]);
    expect(wipes()).toEqual([]);
  });
});

describe('without an answer', () => {
  test.each([
    ['drop', { code: 'run/approval-expired', steps: [{ status: 'skipped' }] }],
    ['proceed', { steps: [{ status: 'completed' }] }],
  ])('on_timeout: %s decides', async (onTimeout, run) => {
    const { client } = await begin(
      `    do:\n      - log: hello\n        approve: { channel: desk, timeout: 1s, on_timeout: ${onTimeout} }`,
    );
    const waiting = await ask();
    await until(
      'the time is over',
      () => Date.now() > Date.parse(waiting.runs[0]?.approvals?.[0]?.expiresAt ?? ''),
    );
    const id = waiting.runs[0]?.approvals?.[0]?.id ?? '';
    const late = await openApprovals(singleShard(client)).decide(id, { answer: 'approved', at: 'x' });
    expect(late).toMatchObject({ isNew: false });
    expect(await ended(waiting)).toMatchObject({ runs: [{ ...run, approvals: [{ answer: 'expired' }] }] });
  });
});

test('a dry run asks nobody, and neither does a step whose condition is false', async () => {
  await begin(`${ON_RULE}\n    mode: dry_run`);
  webhooks += 1;
  const at = new Date(Date.UTC(2026, 0, 1) + webhooks * 1000).toISOString();
  const data = { device: { id: 121, udid: null, serial_number: null } };
  await world.post({ type: 'device.changed_group', at, data });
  expect((await traceWhen(at, () => true)).runs).toMatchObject([{ steps: [{ status: 'skipped' }] }]);

  await writeFile(
    world.env['RULES_PATH'] ?? '',
    rules(
      '    do:\n      - wipe: {}\n        if: device.name == "nobody"\n        approve: { channel: desk }',
    ),
  );
  await world.service.reloadRules();
  webhooks += 1;
  const later = new Date(Date.UTC(2026, 0, 1) + webhooks * 1000).toISOString();
  await world.post({ type: 'device.changed_group', at: later, data });
  const trace = await traceWhen(later, ({ status }) => status === 'completed');
  expect(trace.runs).toMatchObject([{ steps: [{ status: 'skipped' }] }]);
  expect(trace.runs[0]?.approvals).toBeUndefined();
  expect(await openApprovals(singleShard(world.client)).list()).toEqual([]);
});

/** Makes waiting runs look at their rules now, as they do from time to time. */
async function wakeRuns(client: World['client']): Promise<void> {
  const runs = openRunQueue(singleShard(client), RETENTION);
  world.beforeStop(() => runs.close());
  await Promise.all((await runs.getDelayed()).map((job) => job.promote()));
}
