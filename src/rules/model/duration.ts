import { z } from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const EXPECTED_TIME = 'expected a time such as 30s, 15m, 1h or 7d';

/** `10 minutes` and `hour` are told how they are written. */
function expected({ input }: { readonly input: unknown }): string {
  const [, count = '', unit = ''] = /^(?:an? |per )?(\d{0,5}) ?([a-z]+)$/i.exec(String(input)) ?? [];
  const known = Object.keys(UNITS).find(
    (name) =>
      /^(?:s|sec|m|min|h|hr|d|second|minute|hour|day)s?$/i.test(unit) && unit.toLowerCase().startsWith(name),
  );
  return known === undefined ? EXPECTED_TIME : `${EXPECTED_TIME}: write ${Number(count) || 1}${known}`;
}

const DAY_MS = UNITS.d;

/** Longer than this nothing is waited for: what the run was about is forgotten by then. */
const LONGEST_WAIT_DAYS = 90;

/** A stretch of time as rules write it, `15m`, in milliseconds. */
export const durationText = z
  .string({ error: expected })
  .regex(/^[1-9][0-9]{0,4}[smhd]$/, { error: expected })
  .transform((text) => {
    const unit = Object.entries(UNITS).find(([name]) => text.endsWith(name));
    return Number(text.slice(0, -1)) * (unit?.[1] ?? 0);
  });

/** A stretch of time that a step may last. */
export const waitText = durationText.refine(
  (ms) => ms <= LONGEST_WAIT_DAYS * DAY_MS,
  `expected ${LONGEST_WAIT_DAYS}d at most; for what comes later write a rule with a schedule`,
);
