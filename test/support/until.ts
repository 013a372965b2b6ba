import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition, with a bound: polls until the probe gives a value that is not undefined or false.
 *
 * @throws Error that says what was waited for, when the bound is reached.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  boundMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${boundMs} ms in vain: ${what}`);
    await delay(15);
  }
}
