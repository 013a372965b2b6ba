import { rateLimit } from 'express-rate-limit';
import type { RequestHandler } from 'express';
import { HttpProblem } from './http-problem.js';
import type { ErrorCode } from '../errors/registry.js';

/** How many wrong tokens, or wrong links, one address may send per minute before it gets 429. */
const WRONG_ATTEMPTS_PER_MINUTE = 20;

/**
 * Refuses an address that guesses. Call it for wrong attempts only: valid requests are never limited. Each limiter counts by itself.
 *
 * @param what - What the address guesses, for the response: `webhook tokens`.
 */
export function limitWrongAttempts(code: ErrorCode, what: string): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: WRONG_ATTEMPTS_PER_MINUTE,
    legacyHeaders: false,
    standardHeaders: false,
    validate: false,
    handler: (_request, _response, next) =>
      next(new HttpProblem(429, code, `too many wrong ${what} from this address; try again in a minute`, 60)),
  });
}
