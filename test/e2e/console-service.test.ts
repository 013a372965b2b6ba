import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { openSilences } from '../../src/alerts/silences.js';
import { openJournal } from '../../src/journal/journal.js';
import { recordBusyEvent } from '../support/busy-event.js';
import { until } from '../support/until.js';
import { useBrowser } from '../support/use-browser.js';
import { useChat } from '../support/use-chat.js';
import { useWorld } from '../support/use-world.js';
import { ADMIN_TOKEN } from '../support/world.js';
import { singleShard } from '../../src/queues/shards.js';

const RULES = `
channels:
  it-chat: { type: webhook, url: "\${env:HOOK_URL}", secret: "\${env:HOOK_SECRET}", group_wait: 1s, group_by: [title] }
rules:
  - id: greet-tablets
    description: Announce enrolled tablets
    on: device.enrolled
    limit: { runs: 1, per: 1h }
    do: [notify: { channel: it-chat, title: "{{ device.name }} joined" }]
  - id: nightly-report
    description: Every night
    on: { schedule: "0 3 * * *", timezone: Europe/Berlin }
    mode: dry_run
    do: [log: { message: night }]
  - { id: asleep, on: device.custom_attribute_value.changed, enabled: false, do: [log: { message: never }] }
`;

/** The widths of a desktop and of a phone. */
const WIDTHS = [1280, 390] as const;

const browser = useBrowser();
const world = useWorld();
const chat = useChat();
let shots: string;

beforeAll(async () => {
  shots = process.env['CONSOLE_SCREENSHOTS'] ?? (await mkdtemp(join(tmpdir(), 'mdm-reflex-console-')));
});
beforeEach(async () => {
  await world.start({
    rules: RULES,
    env: {
      HOOK_URL: `${chat.url}/path-that-is-secret`,
      HOOK_SECRET: `whsec_${Buffer.from('a secret of the test that is long').toString('base64')}`,
    },
  });
});
afterAll(async () => {
  if (process.env['CONSOLE_SCREENSHOTS'] === undefined) await rm(shots, { recursive: true });
});

async function openSignedIn(path = '/', width = 1280): Promise<Page> {
  const page = await browser.open(world.service.url + path, { viewport: { width, height: 860 } });
  await page.getByLabel(/ADMIN_TOKEN/).fill(ADMIN_TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
  return page;
}

const attention = (page: Page) => page.getByRole('region', { name: 'Needs attention' });
const rows = (page: Page) => page.locator('#event-list > li');
const traceOf = (page: Page) => page.locator('#trace-section');

/** Takes a screenshot of the whole page and checks that nothing overflows horizontally. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThan(1);
}

describe('the attention section', () => {
  test('is replaced by counts before sign-in', async () => {
    world.simulator.enrollMany({ count: 2, kind: 'ipad' });
    const page = await browser.open(world.service.url);
    const banner = page.getByRole('status', { name: 'Service problems' });
    await banner.getByText('1 rule is held, 1 run waits: mdm-reflex held list').waitFor();
    expect(await page.locator('body').innerText()).not.toContain('greet-tablets');
  });

  test('shows held rules with their waiting runs; release is immediate, drop needs a confirmation', async () => {
    world.simulator.enrollMany({ count: 4, kind: 'ipad' });
    const page = await openSignedIn();
    const held = attention(page).locator('[data-key="held"]');
    await held.getByText('3 runs wait').waitFor();
    expect(await held.innerText()).toMatch(
      /1 rule is held[^]*greet-tablets[^]*the limit of 1 run per 60 minutes is reached/,
    );
    // The banner does not repeat what the section shows in detail.
    await until(
      'the banner is empty',
      async () => (await page.getByText('mdm-reflex held list').count()) === 0,
    );

    await held.getByRole('button', { name: 'Release' }).click();
    await page.getByText('greet-tablets is released').waitFor();
    await held.getByText('2 runs wait').waitFor();

    await held.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('dialog').getByText('Drop the 2 waiting runs of greet-tablets?').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(await held.isVisible()).toBe(true);
    await held.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drop' }).click();
    await held.waitFor({ state: 'detached' });
    await until('both are dead letters', async () => (await rows(page).getByText('failed').count()) === 2);
  });

  test('shows undelivered messages on the first screen, to retry or drop', async () => {
    chat.answerNext({ status: 404 }, { status: 404 });
    world.simulator.enroll({ kind: 'ipad', name: 'Ada’s iPad' });
    const page = await openSignedIn('/', 390);
    const undelivered = attention(page).locator('[data-key="undelivered"]');
    await undelivered.getByText('Ada’s iPad joined').waitFor();
    await page.getByText('needs attention', { exact: true }).waitFor();
    const box = await undelivered.boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(860);
    expect(await undelivered.innerText()).toMatch(
      /1 message was not delivered[^]*it-chat[^]*returned 404: ok channel\/refused; undelivered since/,
    );

    await undelivered.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('The message is queued again').waitFor();
    await until('it is rejected again', () => chat.requests().length === 2);
    await undelivered.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drop' }).click();
    await undelivered.waitFor({ state: 'detached' });
    expect(chat.requests()).toHaveLength(2);
  });

  test('shows problems of the rule files with location, line and caret', async () => {
    const page = await openSignedIn();
    await writeFile(world.env['RULES_PATH'] ?? '', RULES.replace('notify:', 'ntify:'));
    const problems = attention(page).locator('[data-key="problems"]');
    await problems.getByText('1 problem in the rule files: the previous rules stay active').waitFor();
    expect(await problems.locator('p').first().innerText()).toMatch(
      /rules\.yaml:9:\d+: unknown action "ntify"/,
    );
    expect(await problems.locator('pre').innerText()).toMatch(/ntify: \{[^\n]*\n +\^/);
  });
});

test('the rules view shows live rules with their next run, channels and silences', async () => {
  await openSilences(singleShard(world.client)).add({
    match: { rule: 'greet-tablets' },
    until: '2999-01-01T00:00:00.000Z',
    comment: 'the lab is rebuilt',
  });
  const page = await openSignedIn();
  await page.getByRole('link', { name: 'Rules' }).click();
  const section = page.getByRole('region', { name: 'Rules and channels' });
  await section.locator('[data-key="nightly-report"]').getByText('next').waitFor();
  expect(await page.getByRole('search').isVisible()).toBe(false);
  const rule = async (id: string) => section.locator(`[data-key="${id}"]`).innerText();
  expect(await rule('greet-tablets')).toMatch(
    /Announce enrolled tablets\s+on device\.enrolled · at most 1 run in 60 minutes/,
  );
  expect(await rule('nightly-report')).toMatch(
    /dry run[^]*0 3 \* \* \* \(Europe\/Berlin\), next .*\d\d:00:00/,
  );
  expect(await rule('asleep')).toContain('disabled');
  expect(await rule('it-chat')).toMatch(/it-chat\s*webhook/);
  expect(await rule('silences')).toMatch(/rule=greet-tablets\s*the lab is rebuilt/);
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByRole('heading', { name: 'No events yet' }).waitFor();
});

test.each(WIDTHS)('at %d pixels the queue view shows what waits', async (width) => {
  const page = await openSignedIn('/', width);
  await page.getByRole('link', { name: 'Queue' }).click();
  const section = page.getByRole('region', { name: 'Queue' });
  await section.getByText('Nothing waits.').waitFor();
  expect(await page.getByRole('search').isVisible()).toBe(false);
  world.simulator.enrollMany({ count: 3, kind: 'ipad' });
  const held = section.locator('li', { hasText: 'waits for a person: the rule is held' });
  await held.getByText('2 runs').waitFor();
  expect(await held.innerText()).toMatch(/2 runs\s*greet-tablets[^]*oldest/);
  await shoot(page, `queue-${width}`);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.getByRole('region', { name: 'Rules and channels' }).waitFor();
  expect(await section.isVisible()).toBe(false);
});

test.each(WIDTHS)('at %d pixels the trace of a busy event starts with the reasons', async (width) => {
  await recordBusyEvent(world.client);
  const page = await openSignedIn('/', width);
  const row = rows(page).first();
  await row.getByText('Ada’s MacBook').waitFor();
  expect(await row.innerText()).toContain('C02ABCDEFGH1');
  await shoot(page, `busy-list-${width}`);
  // A type wraps at its dots only.
  const broken = await page.evaluate(`[...document.querySelector('.type-name').childNodes].filter((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map(({ top }) => top)).size > 1;
  }).length`);
  expect(broken).toBe(0);

  await row.getByRole('link').click();
  const trace = traceOf(page);
  await trace.locator('[data-key="reason run open-a-ticket"]').waitFor();
  const text = await trace.innerText();
  expect(text.indexOf('open-a-ticket: step 1')).toBeLessThan(text.indexOf('Alerts'));
  expect(text.indexOf('Alerts')).toBeLessThan(text.indexOf('Run of'));
  expect(text).toContain('greet-tablets: the rule is held: too many');
  // Failed runs come before waiting runs.
  expect(text.indexOf('Run of open-a-ticket')).toBeLessThan(text.indexOf('Run of greet-tablets'));
  const run = (rule: string) => trace.locator(`[data-key="run ${rule}"]`);
  expect(await run('open-a-ticket').innerText()).toMatch(
    /failed[^]*POST https:\/\/tickets\.example\.org\/api\/v2\/issues → 422[^]*not reached\s*notify/,
  );
  expect(await run('greet-tablets').innerText()).toMatch(/waiting[^]*the rule is held: too many[^]*pending/);
  const install = await run('install').innerText();
  expect(install).toMatch(/for 7 items[^]*Xcode[^]*Notion[^]*2 more/);
  expect(install).not.toContain('Excel');
  expect(install).toMatch(/notify\s*to it-chat/);
  await run('install').getByText('2 more').click();
  await run('install').getByText('Excel').waitFor();
  // A time in another year shows day, year and zone.
  expect(await trace.locator('[data-key="event-data"]').innerText()).toMatch(/2021.*\d\d:\d\d:06 \S+/);
  await shoot(page, `busy-trace-${width}`);
  // The page stays short on a phone.
  if (width === 390) {
    const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
    expect(height).toBeLessThan(5 * 860);
  }
});

test('an event that an own action caused is "ignored" and not "no rule matched"', async () => {
  const journal = openJournal(
    singleShard(world.client),
    { repeatWindowDays: 1, deadLetterDays: 1 },
    (text) => text,
  );
  const id = 'cd'.repeat(32);
  const now = new Date().toISOString();
  const about = { account: 'default', type: 'device.changed_group', at: now, receivedAt: now, data: {} };
  await journal.recordReceived([{ ...about, id, source: 'webhook' }]);
  await journal.recordProcessing(id, { state: 'completed', attempts: 1, at: now });
  await journal.recordDecisions(id, [
    {
      rule: 'r',
      verdict: 'not_matched',
      ownAction: true,
      reason: 'caused by the rule x',
      decidedAt: now,
    },
  ]);
  const page = await openSignedIn(`/#${id}`);
  await traceOf(page).locator('[data-key="rule r"]').getByText('ignored').waitFor();
  expect(await rows(page).first().innerText()).toContain('ignored: own action');
  expect(await traceOf(page).innerText()).not.toContain('no rule matched');
});

test.each(WIDTHS)('everything fits a screen of %d pixels', async (width) => {
  chat.answerNext({ status: 404 });
  world.simulator.enrollMany({ count: 3, kind: 'ipad' });
  const page = await openSignedIn('/', width);
  await attention(page).locator('[data-key="undelivered"]').waitFor();
  await attention(page).getByText('2 runs wait').waitFor();
  await writeFile(world.env['RULES_PATH'] ?? '', RULES.replace('notify:', 'ntify:'));
  await attention(page).locator('[data-key="problems"]').waitFor();
  await shoot(page, `attention-${width}`);
  await page.getByRole('link', { name: 'Rules' }).click();
  await page.locator('[data-key="nightly-report"]').getByText('next').waitFor();
  await shoot(page, `rules-${width}`);
  await attention(page).locator('[data-key="held"]').getByRole('button', { name: 'Drop' }).click();
  await shoot(page, `drop-${width}`);
});
