import { z } from 'zod';

/** A string, null or missing: attributes that do not apply are null, and older records lack newer attributes. */
export const textField = z.string().nullish();

/** A boolean, null or missing. */
export const flagField = z.boolean().nullish();

/** A number, null or missing. Some records have numbers as strings (`location_latitude`, `device_capacity` in old records). */
export const numberField = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish();
