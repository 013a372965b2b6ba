import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Trace } from '../../src/journal/trace.js';
import { until } from '../support/until.js';
import { useBrowser } from '../support/use-browser.js';
import { useChat } from '../support/use-chat.js';
import { useWorld } from '../support/use-world.js';
import { ADMIN_TOKEN } from '../support/world.js';

const RULES = `
channels:
  desk: { type: webhook, url: "\${env:HOOK_URL}", group_wait: 1s }
rules:
  - id: erase-retired
    description: Erase what is retired
    on: device.changed_group
    allow: [destructive]
    do:
      - wipe: {}
        approve: { channel: desk, timeout: 1h }
`;

const browser = useBrowser();
const world = useWorld();
const chat = useChat();
let shots: string;

beforeAll(async () => {
  shots = process.env['CONSOLE_SCREENSHOTS'] ?? (await mkdtemp(join(tmpdir(), 'mdm-reflex-approvals-')));
});
beforeEach(async () => {
  await world.start({
    rules: RULES,
    env: { HOOK_URL: chat.url, PUBLIC_URL: 'https://reflex.example.org' },
  });
  await world.post({ type: 'device.changed_group', data: { device: { id: 98 } } });
});
afterAll(async () => {
  if (process.env['CONSOLE_SCREENSHOTS'] === undefined) await rm(shots, { recursive: true });
});

const message = z.looseObject({ data: z.looseObject({ action: z.looseObject({ url: z.string() }) }) });

/** The link of the message, at the address of this service. */
async function link(): Promise<string> {
  const request = await until('the message with the link', () => chat.requests()[0]);
  const { url } = message.parse(request.body).data.action;
  return url.replace('https://reflex.example.org', world.service.url);
}

const ended = (): Promise<Trace> => world.settled('device.changed_group', ['completed', 'failed']);
const wipes = (): string[] => world.calls().filter((call) => call === 'POST /devices/98/wipe');

test('a person opens the link on a phone, sees what will be done, and approves', async () => {
  const page = await browser.open(await link(), { viewport: { width: 390, height: 860 } });
  await page.getByRole('heading', { name: 'Approve these steps?' }).waitFor();
  expect((await page.getByRole('listitem').allTextContents()).map((text) => text.trim())).toEqual(['wipe']);
  expect(await page.getByText('Front Desk iPad').count()).toBe(1);
  await page.screenshot({ path: join(shots, 'approval.png') });
  expect(wipes()).toEqual([]);
  await page.getByLabel(/Your name/).fill('Grace');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('heading', { name: /^Approved by Grace at / }).waitFor();
  const { runs } = await ended();
  expect(runs[0]?.approvals).toMatchObject([{ answer: 'approved', by: 'Grace', via: 'link' }]);
  expect(wipes()).toHaveLength(1);
  // The link has no further use.
  await page.goto(await link());
  expect(await page.getByRole('button').count()).toBe(0);
});

test('the console shows the question under Problems, and rejects it', async () => {
  const page = await browser.open(world.service.url);
  await page.getByLabel(/ADMIN_TOKEN/).fill(ADMIN_TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('1 run waits for an approval').waitFor();
  await page.screenshot({ path: join(shots, 'console-approval.png') });
  await page.getByRole('button', { name: 'Reject' }).click();
  const { runs } = await ended();
  expect(runs[0]).toMatchObject({ code: 'run/rejected' });
  expect(wipes()).toEqual([]);
});
