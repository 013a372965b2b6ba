import { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import { isTemplate } from '../rules/liquid/template.js';

/**
 * A text of some format, checked when the file loads unless it has yet to be filled in; it is checked again, filled in, when the step runs.
 *
 * @param format - What the finished text must be.
 * @param expected - How to say so.
 */
export function textOrTemplate(format: z.ZodType<string>, expected: string) {
  return z
    .string(expected)
    .refine(
      (text) => isTemplate(text) || envReferencesIn(text).length > 0 || format.safeParse(text).success,
      expected,
    );
}
