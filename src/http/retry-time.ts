/** The wait after a 429 without a header, as observed at SimpleMDM. */
const DEFAULT_WAIT_MS = 30_000;

/** The longest wait: a header in the wrong unit must not pause an account for years. */
const MAX_WAIT_MS = 3_600_000;

/**
 * The earliest time of the next attempt: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), else
 * `X-RateLimit-Reset` in epoch seconds, else 30 seconds from now for status 429.
 *
 * @param now - Epoch milliseconds.
 * @returns Epoch milliseconds, at most an hour from now; undefined when the response names no time.
 */
export function retryTime(status: number, headers: Headers, now: number): number | undefined {
  const time =
    parseRetryAfter(headers.get('retry-after'), now) ??
    parseRateLimitReset(headers.get('x-ratelimit-reset')) ??
    (status === 429 ? now + DEFAULT_WAIT_MS : undefined);
  return time === undefined ? undefined : Math.min(Math.max(time, now), now + MAX_WAIT_MS);
}

function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return now + Number(value) * 1000;
  // An HTTP date begins with the name of the day. Date.parse alone accepts almost anything.
  const date = /^[A-Za-z]{3,9},? /.test(value.trim()) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : date;
}

function parseRateLimitReset(value: string | null): number | undefined {
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : undefined;
}
