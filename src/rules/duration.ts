import { z } from 'zod';

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const EXPECTED = 'expected a time such as 30s, 15m, 1h or 7d';

/** A stretch of time as rules write it, `15m`, in milliseconds. */
export const durationText = z
  .string(EXPECTED)
  .regex(/^[1-9][0-9]{0,4}[smhd]$/, EXPECTED)
  .transform((text) => {
    const unit = Object.entries(UNITS).find(([name]) => text.endsWith(name));
    return Number(text.slice(0, -1)) * (unit?.[1] ?? 0);
  });
