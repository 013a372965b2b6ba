import { z } from 'zod';
import { envReferencesIn } from '../config/env-reference.js';
import { isTemplate } from '../rules/liquid/template.js';

/** A text that is not empty. */
export const text = z.string('expected a text').min(1, 'expected a text');

/** `true` or `false`. */
export const flag = z.boolean('expected true or false');

/** For actions without arguments. */
export const noArguments = z.strictObject({});

/**
 * A text of some format. The format is checked when the file loads, unless the text has a template or `${env:NAME}`. The step
 * checks the rendered text.
 *
 * @param format - The schema of the rendered text.
 * @param expected - The message for another text.
 */
export function textOrTemplate(format: z.ZodType<string>, expected: string) {
  return z
    .string(expected)
    .refine(
      (value) => isTemplate(value) || envReferencesIn(value).length > 0 || format.safeParse(value).success,
      expected,
    );
}
