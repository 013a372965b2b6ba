/** A usual wait when a 429 does not say how long (seen in real accounts). */
const UNSAID_WAIT_MS = 30_000;

/** No answer makes a caller wait longer than this: a header in the wrong unit must not park an account for years. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * When a refused call may be made again: `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), else
 * `X-RateLimit-Reset` in epoch seconds; a 429 that says neither means thirty seconds from now.
 *
 * @param now - Epoch milliseconds.
 * @returns Epoch milliseconds, between now and an hour from now; undefined when the answer leaves it to the caller.
 */
export function retryAfterTime(status: number, headers: Headers, now: number): number | undefined {
  const said =
    afterHeader(headers.get('retry-after'), now) ??
    resetHeader(headers.get('x-ratelimit-reset')) ??
    (status === 429 ? now + UNSAID_WAIT_MS : undefined);
  return said === undefined ? undefined : Math.min(Math.max(said, now), now + LONGEST_WAIT_MS);
}

function afterHeader(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return now + Number(value) * 1000;
  // An HTTP date begins with the day's name; Date.parse would make something of almost anything.
  const date = /^[A-Za-z]{3,9},? /.test(value.trim()) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : date;
}

function resetHeader(value: string | null): number | undefined {
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : undefined;
}
