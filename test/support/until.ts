import { setTimeout as delay } from 'node:timers/promises';

/** Ends a wait that is in vain. A test that passes never comes near it, on a busy machine either. */
const BOUND_MS = 120_000;

/**
 * Polls until the probe gives a value that is not undefined or false.
 *
 * @throws Error that says what was waited for, after two minutes.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + BOUND_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${BOUND_MS} ms in vain: ${what}`);
    await delay(15);
  }
}
