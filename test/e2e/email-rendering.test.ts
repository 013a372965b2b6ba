import { describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { emailHtml } from '../../src/channels/email-html.js';
import { useBrowser } from '../support/use-browser.js';
import { MESSAGES } from '../unit/channels/messages.js';

/** A folder that keeps the screenshots, for a visual check. */
const PICTURES = process.env['EMAIL_PICTURES'];

/** Runs in the page. */
const MEASURE = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return {
    overflow: scrollWidth - clientWidth,
    cardWidth: document.querySelector('.card').getBoundingClientRect().width,
    heading: document.querySelector('h1').textContent,
    items: document.querySelectorAll('li').length,
    small: [...document.querySelectorAll('h1, h2, p, li, td')].filter(
      (element) => parseFloat(getComputedStyle(element).fontSize) < 12,
    ).length,
    links: [...document.querySelectorAll('a')].map((link) => link.getAttribute('href')),
    scripts: document.querySelectorAll('script, b, img, iframe').length,
  };
})()`;
const measured = z.object({
  overflow: z.number(),
  cardWidth: z.number(),
  heading: z.string(),
  items: z.number(),
  small: z.number(),
  links: z.array(z.string()),
  scripts: z.number(),
});

const browser = useBrowser();

const WIDTHS = { phone: 375, desktop: 1280 };

describe.each(Object.entries(WIDTHS))('an e-mail on a %s', (device, width) => {
  test.each(Object.entries(MESSAGES))('%s', async (name, message) => {
    const context = await browser.newContext({ viewport: { width, height: 700 } });
    const page = await context.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.setContent(emailHtml(message));
    const layout = measured.parse(await page.evaluate(MEASURE));
    if (PICTURES !== undefined) {
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `${name}-${device}.png`), fullPage: true });
    }
    await context.close();
    expect(layout.overflow).toBe(0);
    expect(layout.cardWidth).toBeLessThanOrEqual(600);
    expect(layout.cardWidth).toBeGreaterThan(Math.min(width, 600) - 40);
    expect(layout.heading).toBe(message.title);
    expect(layout.small).toBe(0);
    // Device names are text, and nothing is loaded.
    expect(layout.scripts).toBe(0);
    expect(requests.filter((url) => /^https?:/.test(url))).toEqual([]);
    expect(layout.items).toBe(message.sections.flatMap(({ items }) => items).length);
    expect(layout.links.every((link) => link.startsWith('https://reflex.example.org'))).toBe(true);
  });
});
