import type { RequestHandler } from 'express';
import { HttpProblem } from '../receiver/http-problem.js';

/** Values of `Sec-Fetch-Site` (Fetch Metadata Request Headers), which pages cannot change. Only browsers send the header. */
const SAME_ORIGIN: readonly (string | undefined)[] = [undefined, 'same-origin', 'none'];

/** Rejects writes by pages of other sites: without an admin token nothing else would stop them. */
export const rejectCrossSite: RequestHandler = (request, _response, next) => {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (reads || SAME_ORIGIN.includes(request.get('Sec-Fetch-Site'))) next();
  else
    next(
      new HttpProblem(
        403,
        'http/cross-site',
        'pages of other sites may not change anything: use the console or the command line',
      ),
    );
};
