import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openPage, startBrowser } from './browser.js';
import type { WatchedPage } from './browser.js';

/** The Chromium of a test file. */
export interface BrowserOfTests {
  /** Opens an address in a session of its own. The hook after the test closes the page and fails if the page complained. */
  readonly open: (url: string, options?: BrowserContextOptions) => Promise<Page>;
  /** A session whose complaints nobody watches; the test closes it. */
  readonly newContext: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Gives what the open pages complained of and stops watching them. */
  readonly takeComplaints: () => string[];
}

/** Starts one Chromium for the tests of a file. */
export function useBrowser(): BrowserOfTests {
  let running: Browser | undefined;
  const opened: WatchedPage[] = [];
  beforeAll(async () => {
    running = await startBrowser();
  });
  afterEach(async () => {
    const complaints = opened.flatMap((watched) => watched.complaints());
    await Promise.all(opened.splice(0).map(({ page }) => page.context().close()));
    expect(complaints).toEqual([]);
  });
  afterAll(() => running?.close());
  const browser = (): Browser => {
    if (running === undefined) throw new Error('the browser runs only during the tests');
    return running;
  };
  return {
    open: async (url, options) => {
      const watched = await openPage(browser(), url, options);
      opened.push(watched);
      return watched.page;
    },
    newContext: (options) => browser().newContext(options),
    takeComplaints: () => opened.splice(0).flatMap((watched) => watched.complaints()),
  };
}
