import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Beside this file both in src/ and, copied by the build, in dist/. */
const PAGE_DIR = fileURLToPath(new URL('page/', import.meta.url));

/** What a browser may have of the folder; its types' configuration stays here. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/**
 * `GET /` and `GET /console`: the web console, and its scripts and styles below `/console/`.
 *
 * Everybody may load the page, for it holds nothing; what it shows comes from the JSON API, which asks for the `ADMIN_TOKEN`.
 */
export function pageRoutes(): Router {
  const router = Router({ strict: true });
  for (const name of readdirSync(PAGE_DIR)) {
    const mediaType = MEDIA_TYPES[extname(name)];
    if (mediaType === undefined) continue;
    // The page refers to its assets as "console/…", which means the same from both of its addresses, also behind a prefix.
    const addresses = name === 'index.html' ? ['/', '/console'] : [`/console/${name}`];
    router.get(addresses, pagePolicy, asset(readFileSync(PAGE_DIR + name), mediaType));
  }
  router.get('/console/', (_request, response) => response.redirect(308, '../console'));
  return router;
}

/**
 * Stricter than the policy of the other answers: nothing but our own files, and no way for a script to turn text into markup
 * (Trusted Types), so that what a webhook says cannot become a part of the page.
 *
 * Looser in one point: no `upgrade-insecure-requests`. The service speaks plain HTTP, and a browser that reaches it by a name
 * or an address other than loopback would ask for the scripts by https, in vain.
 */
const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
    trustedTypes: ["'none'"],
  },
});

/** Always asked for again, so that an upgrade never mixes with what a browser kept; unchanged it is a 304. */
function asset(content: Buffer, mediaType: string): RequestHandler {
  const tag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  return (_request, response) => {
    response.set({ 'Cache-Control': 'no-cache', ETag: tag }).type(mediaType).send(content);
  };
}
