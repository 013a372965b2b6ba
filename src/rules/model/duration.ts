import { z } from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const EXPECTED = 'expected a duration such as 30s, 15m, 1h or 7d';

/** For `10 minutes` and `hour` the message says how to write them. */
function expected({ input }: { readonly input: unknown }): string {
  const [, count = '', unit = ''] = /^(?:an? |per )?(\d{0,5}) ?([a-z]+)$/i.exec(String(input)) ?? [];
  const known = Object.keys(UNITS).find(
    (name) =>
      /^(?:s|sec|m|min|h|hr|d|second|minute|hour|day)s?$/i.test(unit) && unit.toLowerCase().startsWith(name),
  );
  return known === undefined ? EXPECTED : `${EXPECTED}: write ${Number(count) || 1}${known}`;
}

const DAY_MS = UNITS.d;

/** A longer step would outlive the records of its event. */
export const MAX_STEP_DAYS = 90;

/** A duration as rules write it, such as `15m`, in milliseconds. */
export const durationText = z
  .string({ error: expected })
  .regex(/^[1-9][0-9]{0,4}[smhd]$/, { error: expected })
  .transform((text) => {
    const unit = Object.entries(UNITS).find(([name]) => text.endsWith(name));
    return Number(text.slice(0, -1)) * (unit?.[1] ?? 0);
  });

/** How long a rule waits for inventory, in milliseconds; `0` for not at all. */
export const settleText = z.union(
  [z.literal([0, '0', '0s']).transform(() => 0), z.string().pipe(durationText)],
  { error: `${EXPECTED}, or 0` },
);

/** A duration that a step may last or wait: at most 90 days. */
export const waitText = durationText.refine(
  (ms) => ms <= MAX_STEP_DAYS * DAY_MS,
  `expected at most ${MAX_STEP_DAYS}d; for anything later write a rule with a schedule`,
);
