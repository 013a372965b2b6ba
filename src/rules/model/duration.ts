import { z } from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const EXPECTED = 'expected a duration such as 30s, 15m, 1h or 7d';

/** For `10 minutes` and `hour` the message says how to write them. */
function expected({ input }: { readonly input: unknown }): string {
  const exact = durationFrom(String(input));
  if (exact !== undefined) return `${EXPECTED}: write ${exact}`;
  const [, count = '', unit = ''] = /^(?:an? |per )?(\d{0,5}) ?([a-z]+)$/i.exec(String(input)) ?? [];
  const known = Object.keys(UNITS).find(
    (name) =>
      /^(?:s|sec|m|min|h|hr|d|second|minute|hour|day)s?$/i.test(unit) && unit.toLowerCase().startsWith(name),
  );
  return known === undefined ? EXPECTED : `${EXPECTED}: write ${Number(count) || 1}${known}`;
}

/** `2w`, `1h30m`, `500ms` and ISO 8601 (`PT30M`) in the largest unit that fits; undefined for any other text. */
function durationFrom(text: string): string | undefined {
  const iso = /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,5})S)?)?$/.exec(text);
  const plain = /^(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$/.exec(text);
  const parts = iso ?? plain;
  const [weeks, milliseconds, alone] = [/^(\d{1,4}) ?w(?:eeks?)?$/i, /^(\d{1,8}) ?ms$/i, /^(\d{1,5})$/].map(
    (pattern) => pattern.exec(text)?.[1],
  );
  if (weeks !== undefined) return `${Number(weeks) * 7}d`;
  if (milliseconds !== undefined) return `${Math.max(1, Math.round(Number(milliseconds) / 1000))}s`;
  if (alone !== undefined) return `${Number(alone) || 1}s for seconds`;
  if (parts === null || text === '') return undefined;
  const [d = 0, h = 0, m = 0, s = 0] = parts.slice(1).map((part) => Number(part) || 0);
  const total = d * UNITS.d + h * UNITS.h + m * UNITS.m + s * UNITS.s;
  const [unit, size] = Object.entries(UNITS).findLast(([, ms]) => total % ms === 0) ?? ['s', UNITS.s];
  return total === 0 ? undefined : `${total / size}${unit}`;
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
