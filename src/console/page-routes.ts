import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Next to this file in src/ and, copied by the build, in dist/. */
const PAGE_DIR = fileURLToPath(new URL('page/', import.meta.url));

/** The files that are served. Others, such as the TypeScript configuration, are not. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/**
 * `GET /` and `GET /console`: the web console, with its scripts and styles below `/console/`.
 *
 * The page needs no token because it holds no data. It reads everything from the JSON API, which requires `ADMIN_TOKEN`.
 */
export function pageRoutes(): Router {
  const router = Router({ strict: true });
  for (const name of readdirSync(PAGE_DIR)) {
    const mediaType = MEDIA_TYPES[extname(name)];
    if (mediaType === undefined) continue;
    // The page refers to its assets as "console/…", which resolves from both paths, also behind a path prefix.
    const paths = name === 'index.html' ? ['/', '/console'] : [`/console/${name}`];
    router.get(paths, contentSecurityPolicy, asset(readFileSync(PAGE_DIR + name), mediaType));
  }
  router.get('/console/', (_request, response) => response.redirect(308, '../console'));
  return router;
}

/**
 * Stricter than the policy of other responses: only files of the service, and Trusted Types, so that text from a webhook
 * never becomes markup.
 *
 * Without `upgrade-insecure-requests`: the service speaks plain HTTP, and browsers that use an address other than loopback
 * would request the scripts by https.
 */
const contentSecurityPolicy = helmet.contentSecurityPolicy({
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

/** Serves a file with revalidation, so that cached files never mix with those of a new version. */
function asset(content: Buffer, mediaType: string): RequestHandler {
  const tag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  return (_request, response) => {
    response.set({ 'Cache-Control': 'no-cache', ETag: tag }).type(mediaType).send(content);
  };
}
