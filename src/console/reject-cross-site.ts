import type { Request, RequestHandler } from 'express';
import { HttpProblem } from '../receiver/http-problem.js';

/** Values of `Sec-Fetch-Site` (Fetch Metadata Request Headers), which pages cannot change. Only browsers send the header. */
const SAME_ORIGIN: readonly (string | undefined)[] = [undefined, 'same-origin', 'none'];

/**
 * Rejects writes by pages of other sites: without an admin token, or with one that the browser sends by itself, nothing else would stop
 * them.
 */
export const rejectCrossSite: RequestHandler = (request, _response, next) => {
  next(isRead(request) || SAME_ORIGIN.includes(request.get('Sec-Fetch-Site')) ? undefined : crossSite());
};

/**
 * The same by `Origin`: browsers send `Sec-Fetch-Site` to https and to the own machine only. A page of another site can send neither a Bearer
 * token nor `X-Forwarded-Host` without asking first (Fetch Standard, CORS), and the service allows nobody.
 */
export const rejectOtherOrigins: RequestHandler = (request, _response, next) => {
  const origin = request.get('Origin');
  const isOwn =
    origin === undefined ||
    request.get('Sec-Fetch-Site') !== undefined ||
    /^Bearer /i.test(request.get('Authorization') ?? '') ||
    ['Host', 'X-Forwarded-Host'].some((name) => origin.replace(/^https?:\/\//, '') === request.get(name));
  next(isRead(request) || isOwn ? undefined : crossSite());
};

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

function crossSite(): HttpProblem {
  return new HttpProblem(
    403,
    'http/cross-site',
    'pages of other sites may not change anything: use the console or the command line',
  );
}
