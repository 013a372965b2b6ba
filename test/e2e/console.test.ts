import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import request from 'supertest';
import { recordAccountStatus } from '../../src/coordination/account-status.js';
import { openJournal } from '../../src/journal/journal.js';
import { until } from '../support/until.js';
import { useBrowser } from '../support/use-browser.js';
import { useSharedWorld } from '../support/use-world.js';
import { ADMIN_TOKEN } from '../support/world.js';
import { singleShard } from '../../src/queues/shards.js';

const RULES = `
rules:
  - id: onboard-laptops
    description: New MacBooks join the group Laptops
    on: device.enrolled
    if: device.platform == "macOS" && device.model_name.contains("MacBook")
    do:
      - assign_device_group: { group: Laptops }
      - log: { message: '{{ device.name }} joined' }
        id: note
  - id: greet-phones
    description: iPhones are logged
    on: device.enrolled
    if: device.platform == "iOS"
    do:
      - log: { message: 'a phone called {{ device.name }}' }
`;

/** Sets a global if it is interpreted as markup. */
const MARKUP = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';

const browser = useBrowser();
const world = useSharedWorld({ rules: RULES });

afterEach(async () => {
  world.simulator.clearFaults();
  await world.client.flushall();
});

const open = (path = '/', options: BrowserContextOptions = {}): Promise<Page> =>
  browser.open(world.service.url + path, options);

async function signIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
  await page.getByLabel(/ADMIN_TOKEN/).fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function openSignedIn(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(path, options);
  await signIn(page);
  await page.getByRole('search').waitFor();
  return page;
}

const rows = (page: Page) => page.locator('#event-list > li');
const enrollment = (page: Page) => rows(page).filter({ hasText: 'device.enrolled' }).first();
const traceOf = (page: Page) => page.locator('#trace-section');
const banner = (page: Page) => page.getByRole('status', { name: 'Service problems' });

async function enrolled(kind: 'macbook' | 'iphone', name?: string) {
  const device = world.simulator.enroll({ kind, ...(name !== undefined && { name }) });
  const { status } = await world.settled('device.enrolled');
  // Its group change causes another event.
  if (kind === 'macbook' && status === 'completed') await world.settled('device.changed_group');
  return device;
}

function refuseOneGroupChange(): void {
  world.simulator.addFault({
    method: 'POST',
    path: '/device_groups/*',
    kind: 'status',
    status: 422,
    times: 1,
  });
}

/** Records what a worker records when the API key is rejected. */
async function recordRefusedAccount(): Promise<void> {
  await recordAccountStatus(singleShard(world.client), 'default', {
    ok: false,
    reason:
      'GET /account returned 401: the API key was not accepted; set SIMPLEMDM_API_KEY to a key that works',
    since: new Date().toISOString(),
  });
}

describe('the list of events', () => {
  test('shows first steps, then new events without a reload', async () => {
    const page = await openSignedIn();
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    expect(await page.locator('#webhook-url').textContent()).toBe(
      `${world.service.url}/webhooks/simplemdm/WEBHOOK_TOKEN`,
    );
    expect(await page.locator('#loopback-hint').isVisible()).toBe(true);
    await page.evaluate('window.notReloaded = true');

    world.simulator.sendTestEvent();
    await rows(page).filter({ hasText: 'no rule matched' }).waitFor();
    expect(await page.getByRole('heading', { name: 'No events yet' }).isVisible()).toBe(false);
    await page.evaluate('document.querySelector("#event-list > li").wasFirst = true');

    const laptop = world.simulator.enroll({ kind: 'macbook' });
    const row = enrollment(page);
    await row.getByText('completed').waitFor();
    expect(await row.innerText()).toMatch(/device\.enrolled[^]*onboard-laptops/);
    expect(await row.innerText()).toContain(laptop.serialNumber);
    expect(await rows(page).last().innerText()).toContain('test_event');
    // The first row is still the same element.
    expect(await page.evaluate('document.querySelector("#event-list > li:last-child").wasFirst')).toBe(true);
    await world.settled('device.changed_group');
    expect(await page.evaluate('window.notReloaded')).toBe(true);
  });

  test('can be filtered by type, device and status, and the URL keeps the filter', async () => {
    const laptop = await enrolled('macbook');
    const phone = await enrolled('iphone');
    world.simulator.sendTestEvent();
    const page = await openSignedIn();
    await until('four rows', async () => (await rows(page).count()) === 4);

    await page.getByLabel('Type').fill('device.*');
    await until('three rows', async () => (await rows(page).count()) === 3);
    await page.getByLabel('Device').fill(phone.serialNumber);
    await until('one row', async () => (await rows(page).count()) === 1);
    expect(await rows(page).innerText()).toContain('greet-phones');
    await page.getByLabel('Device').fill(String(laptop.id));
    await rows(page).filter({ hasText: 'onboard-laptops' }).waitFor();
    await page.getByLabel('Status').selectOption('failed');
    await page.getByText('No events match this filter.').waitFor();

    await page.reload();
    await page.getByText('No events match this filter.').waitFor();
    expect(await page.getByLabel('Type').inputValue()).toBe('device.*');
    await page.getByRole('button', { name: 'Clear' }).click();
    await until('four rows again', async () => (await rows(page).count()) === 4);
    expect(new URL(page.url()).search).toBe('');
  });

  test('has pages', async () => {
    const journal = openJournal(
      singleShard(world.client),
      { repeatWindowDays: 1, deadLetterDays: 1 },
      (text) => text,
    );
    await journal.recordReceived(Array.from({ length: 60 }, (_, number) => receivedEvent(number)));
    const page = await openSignedIn();
    await until('a full page', async () => (await rows(page).count()) === 25);
    await rows(page).first().getByText('type.59', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Older' }).click();
    await rows(page).first().getByText('type.34', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Older' }).click();
    await until('the last page', async () => (await rows(page).count()) === 10);
    expect(await page.getByRole('button', { name: 'Older' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Newer' }).click();
    await rows(page).first().getByText('type.34', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Newest' }).click();
    await rows(page).first().getByText('type.59', { exact: true }).waitFor();
  });
});

function receivedEvent(number: number, more: Readonly<Record<string, unknown>> = {}) {
  const time = new Date(Date.now() - 60_000 + number * 1000).toISOString();
  return {
    id: number.toString(16).padStart(8, '0').padEnd(64, '0'),
    account: 'default',
    type: `type.${number}`,
    at: time,
    receivedAt: time,
    source: 'webhook' as const,
    data: {},
    ...more,
  };
}

describe('the trace', () => {
  test('shows facts, which rules matched and why, and the steps of the runs', async () => {
    const laptop = await enrolled('macbook', 'Ada’s MacBook');
    const page = await openSignedIn();
    await enrollment(page).getByRole('link').click();
    const trace = traceOf(page);
    await trace.getByRole('heading', { name: 'device.enrolled' }).waitFor();
    await page.waitForFunction('document.activeElement.id === "trace-title"');

    const text = await trace.innerText();
    expect(text).toContain(laptop.serialNumber);
    const fact = trace.locator('[data-key="fact device"]');
    expect(await fact.innerText()).toMatch(/found\s*device[^]*\d+ ms[^]*GET \/devices\/\d+[^]*→ 200/);
    await fact.getByText('value', { exact: true }).click();
    await fact.locator('pre').getByText('Ada’s MacBook').waitFor();

    const matched = await trace.locator('[data-key="rule onboard-laptops"]').innerText();
    expect(matched).toMatch(/✔\s*matched/);
    expect(matched).toContain('is true');
    const unmatched = await trace.locator('[data-key="rule greet-phones"]').innerText();
    expect(unmatched).toMatch(/·\s*no match/);
    expect(unmatched).toContain('device.platform == "iOS"');

    const run = trace.locator('[data-key="run onboard-laptops"]');
    expect(await run.locator('[data-key="step 0"]').innerText()).toMatch(
      /completed\s*assign_device_group[^]*POST \/device_groups\/\d+\/devices\/\d+ → 2\d\d/,
    );
    expect(await run.locator('[data-key="step 1"]').innerText()).toContain('Ada’s MacBook joined');
    // Open details stay open when the page refreshes.
    await page.waitForResponse((response) => response.url().includes('/api/events/'));
    expect(await fact.locator('pre').isVisible()).toBe(true);
  });

  test('of a waiting run shows attempts, requests, responses and the next attempt', async () => {
    const journal = openJournal(
      singleShard(world.client),
      { repeatWindowDays: 1, deadLetterDays: 1 },
      (text) => text,
    );
    const waiting = receivedEvent(1);
    const now = new Date().toISOString();
    const call = {
      account: 'default',
      method: 'POST',
      path: '/script_jobs',
      route: '/script_jobs',
      durationMs: 7,
    };
    await journal.recordReceived([waiting]);
    await journal.recordProcessing(waiting.id, { state: 'completed', attempts: 1, at: now });
    await journal.recordRun(waiting.id, {
      rule: 'run-a-script',
      status: 'waiting',
      plannedAt: now,
      reason: 'step 1 (run_script): no response',
      steps: [
        {
          action: 'run_script',
          status: 'retrying',
          attempts: 3,
          startedAt: now,
          reason: 'no response',
          code: 'step/failed',
          nextAttemptAt: '2099-01-01T10:00:00Z',
          inDoubtSince: now,
          calls: [{ ...call, body: { script_id: 32 }, error: 'the connection was reset' }],
        },
      ],
    });
    const page = await openSignedIn(`/#${waiting.id}`);
    const step = traceOf(page).locator('[data-key="run run-a-script"] [data-key="step 0"]');
    await step.waitFor();
    const text = await step.innerText();
    for (const part of [
      'retrying',
      '3 attempts',
      'next attempt at',
      'is not known',
      'no response step/failed',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(
      /POST \/script_jobs → no response 7 ms\s+sent {"script_id":32}\s+the connection was reset/,
    );
    expect(await traceOf(page).getByRole('button', { name: 'Replay' }).isVisible()).toBe(false);
  });

  test('can be opened and closed by keyboard and by URL', async () => {
    await enrolled('iphone');
    const page = await openSignedIn();
    await rows(page).first().getByRole('link').focus();
    await page.keyboard.press('Enter');
    await traceOf(page).getByText('greet-phones').first().waitFor();
    await page.reload();
    await traceOf(page).getByText('greet-phones').first().waitFor();
    await page.keyboard.press('Escape');
    await traceOf(page).waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.closest("#event-list") !== null')).toBe(true);
    await page.goBack();
    await traceOf(page).getByText('greet-phones').first().waitFor();
  });

  test('of an unknown event shows an error', async () => {
    const page = await openSignedIn(`/#${'ab'.repeat(32)}`);
    await traceOf(page).getByText('there is no event').waitFor();
  });
});

describe('a failed event', () => {
  test('completes after a confirmed replay', async () => {
    refuseOneGroupChange();
    await enrolled('macbook');
    const page = await openSignedIn();
    await rows(page).first().getByText('failed').waitFor();
    await rows(page).first().getByRole('link').click();
    const trace = traceOf(page);
    const step = trace.locator('[data-key="run onboard-laptops"] [data-key="step 0"]');
    await step.locator('.line').getByText('failed').waitFor();
    expect(await step.innerText()).toContain('422');

    await trace.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect((await world.settled('device.enrolled')).status).toBe('failed');

    await trace.getByRole('button', { name: 'Replay' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Replay' }).click();
    await trace.getByText('Replayed: the run of onboard-laptops.').waitFor();
    await step.locator('.line').getByText('completed').waitFor();
    await enrollment(page).getByText('completed').waitFor();
    expect(await trace.getByRole('button', { name: 'Replay' }).isVisible()).toBe(false);
    expect((await world.settled('device.enrolled')).status).toBe('completed');
  });
});

describe('the admin token', () => {
  test('is required; a wrong token is an error; the token is stored in the tab only', async () => {
    const page = await open('/console');
    for (const wrong of ['not-the-token', 'schlüssel-日本']) {
      await signIn(page, wrong);
      await page.getByText('This is not the ADMIN_TOKEN').waitFor();
      expect(await page.evaluate('sessionStorage.length')).toBe(0);
    }
    await signIn(page);
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    expect(await page.evaluate('Object.values({ ...sessionStorage })')).toEqual([ADMIN_TOKEN]);
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0);
    expect(page.url()).not.toContain(ADMIN_TOKEN);
    await page.reload();
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel(/ADMIN_TOKEN/).waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });
});

describe('the banner', () => {
  test('names an account with a rejected API key, and the reason', async () => {
    await world.restartService({ SIMPLEMDM_API_KEY: 'a-key-that-was-revoked' });
    try {
      const page = await open();
      await banner(page)
        .getByText(/Account default cannot be used, so its events wait: .*401/)
        .waitFor();
      await page.getByText('needs attention', { exact: true }).waitFor();
    } finally {
      await world.restartService();
    }
  });

  test('shows that Redis is unavailable, until Redis is back', async () => {
    const page = await openSignedIn();
    await world.redis.restart(async () => {
      await banner(page).getByText('Redis is unavailable').waitFor();
    });
    await banner(page).getByText('Redis is unavailable').waitFor({ state: 'detached' });
    await page.getByText('running').waitFor();
  });

  test('shows that the service does not respond or is stopping', async () => {
    const page = await openSignedIn();
    await page.context().setOffline(true);
    await banner(page).getByText('No response').waitFor();
    await page.context().setOffline(false);
    await banner(page).getByText('No response').waitFor({ state: 'detached' });
    await page.route('**/readyz', (route) =>
      route.fulfill({ status: 503, json: { redis: 'ok', rules: 2, stopping: true, accounts: {} } }),
    );
    await banner(page).getByText('The service is stopping').waitFor();
  });
});

describe('untrusted text', () => {
  test('is always text, never markup', async () => {
    await enrolled('macbook', MARKUP);
    const journal = openJournal(
      singleShard(world.client),
      { repeatWindowDays: 1, deadLetterDays: 1 },
      (text) => text,
    );
    const hostile = receivedEvent(1, {
      type: MARKUP,
      account: MARKUP,
      at: MARKUP,
      receivedAt: new Date().toISOString(),
      data: { device: { serial_number: MARKUP }, [MARKUP]: MARKUP },
    });
    await journal.recordReceived([hostile]);
    await journal.recordProcessing(hostile.id, { state: 'failed', attempts: 1, at: MARKUP, reason: MARKUP });
    const decidedAt = MARKUP;
    await journal.recordDecisions(hostile.id, [
      { rule: MARKUP, description: MARKUP, verdict: 'matched', reason: MARKUP, decidedAt },
    ]);
    const page = await openSignedIn();
    for (const key of ['onboard-laptops', MARKUP]) {
      await rows(page).filter({ hasText: key }).first().getByRole('link').click();
      const trace = traceOf(page);
      await trace.getByText(key).first().waitFor();
      // The previous trace may still be visible for a moment.
      await until('all details are open', async () => {
        const closed = trace.locator('details:not([open]) > summary');
        if ((await closed.count()) > 0)
          await closed
            .first()
            .click({ timeout: 1000 })
            .catch(() => undefined);
        return trace.locator('pre').getByText('window.owned').first().isVisible();
      });
    }
    expect(await page.locator('#main img, #main script').count()).toBe(0);
    expect(await page.evaluate('window.owned')).toBeUndefined();
    // Trusted Types prevent markup from strings on this page.
    const attempt = 'try { document.body.innerHTML = "<b>x</b>"; "taken" } catch (error) { error.name }';
    expect(await page.evaluate(attempt)).toBe('TypeError');
    const refused = browser.takeComplaints().filter((text) => text.includes('Trusted'));
    expect(refused.length).toBeGreaterThan(0);
    await page.context().close();
  });
});

describe('the page', () => {
  test('works over plain HTTP at an address that is not loopback', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((candidate) => candidate?.family === 'IPv4' && !candidate.internal)?.address;
    if (address === undefined) return;
    await world.restartService({ HOST: '0.0.0.0' });
    try {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`http://${address}:${new URL(world.service.url).port}/`);
      await signIn(page);
      await page.getByRole('heading', { name: 'No events yet' }).waitFor();
      await context.close();
    } finally {
      await world.restartService();
    }
  });

  test('serves no other files of its folder', async () => {
    for (const path of ['/console/tsconfig.json', '/console/../api-routes.ts', '/console/%2e%2e/replay.js']) {
      expect((await fetch(world.service.url + path)).status).toBe(404);
    }
    expect((await fetch(`${world.service.url}/console/`)).url).toBe(`${world.service.url}/console`);
  });

  test('is revalidated, and sent again only after a change', async () => {
    const first = await request(world.service.url).get('/console/console.js').expect(200);
    expect(first.headers['cache-control']).toBe('no-cache');
    await request(world.service.url)
      .get('/console/console.js')
      .set('If-None-Match', first.headers['etag'] ?? '')
      .expect(304);
  });

  test('fits desktops and phones, in light and dark mode', async () => {
    const dir = process.env['CONSOLE_SCREENSHOTS'] ?? (await mkdtemp(join(tmpdir(), 'mdm-reflex-console-')));
    const inEachMode = async (
      check: (page: Page, shot: (name: string) => Promise<void>) => Promise<void>,
    ) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const width of [1280, 380]) {
          const page = await open('/', { colorScheme, viewport: { width, height: 860 } });
          await check(page, async (name) => {
            await page.screenshot({ path: join(dir, `${name}-${width}-${colorScheme}.png`) });
            expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThan(1);
          });
        }
      }
    };
    await inEachMode(async (page, shot) => {
      await signIn(page, 'not-the-token');
      await page.getByText('This is not the ADMIN_TOKEN').waitFor();
      await shot('token');
      await signIn(page);
      await page.getByRole('heading', { name: 'No events yet' }).waitFor();
      await shot('empty');
    });
    world.simulator.sendTestEvent();
    await enrolled('iphone', 'Phone of the front desk');
    await enrolled('macbook');
    refuseOneGroupChange();
    await enrolled('macbook', 'A laptop that SimpleMDM will not put into its group');
    await recordRefusedAccount();
    await inEachMode(async (page, shot) => {
      await signIn(page);
      await until('five rows', async () => (await rows(page).count()) === 5);
      await enrollment(page).getByText('failed').waitFor();
      await banner(page).getByText('cannot be used').waitFor();
      await shot('list');
      await enrollment(page).getByRole('link').click();
      await traceOf(page).getByText('Run of').waitFor();
      await shot('trace');
      await traceOf(page).getByText('Run of').scrollIntoViewIfNeeded();
      await shot('steps');
      await traceOf(page).getByRole('button', { name: 'Replay' }).click();
      await shot('replay');
    });
    if (process.env['CONSOLE_SCREENSHOTS'] === undefined) await rm(dir, { recursive: true });
  });
});
