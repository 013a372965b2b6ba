import { z } from 'zod';

/** A text, or nothing: most attributes are null on the records they do not apply to, and missing on older ones. */
export const text = z.string().nullish();

/** A yes or no, or nothing. */
export const flag = z.boolean().nullish();

/** A number, or nothing. Some records hold numbers as text (`location_latitude`, `device_capacity` of old records). */
export const number = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish();
