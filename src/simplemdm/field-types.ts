import { z } from 'zod';

// parse-record.ts reads values of another type: a number in a text field becomes text, "500" in a number field becomes 500, and what
// cannot be converted counts as unknown. So a field of a new resource needs nothing but its type.

/** A string, null or missing: attributes that do not apply are null, and older records lack newer attributes. */
export const textField = z.string().nullish();

/** A boolean, null or missing. */
export const flagField = z.boolean().nullish();

/** A number, null or missing. Some records have numbers as strings (`location_latitude`, `device_capacity` in old records). */
export const numberField = z.number().nullish();
