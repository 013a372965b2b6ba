import { z } from 'zod';
import { durationText } from './duration.js';

const key = z
  .string('expected the name of a column, such as serial_number')
  .min(1, 'expected the name of a column');
const caseSensitive = z
  .boolean('expected true or false')
  .default(false)
  .describe('Whether keys that differ in case only are different keys. Default: `false`.');

/** A lookup from a file beside the rule file. */
export const fileLookup = z.strictObject(
  {
    file: z
      .string('expected a file beside the rule file, such as staff.csv')
      .regex(/\.(csv|ya?ml|json)$/i, 'expected a .csv, .yaml or .json file')
      .describe('A CSV, YAML or JSON file, by its path from the rule file.'),
    key: key
      .optional()
      .describe('The column with the keys. Left out for a YAML or JSON file that is a record by key.'),
    separator: z
      .enum([',', ';', '\t'], 'expected ",", ";" or "\\t"')
      .optional()
      .describe('The separator of a CSV file. Default: detected in the first line.'),
    case_sensitive: caseSensitive,
  },
  'expected a lookup, such as { file: staff.csv, key: serial_number }',
);

/** A lookup from a web service. */
export const httpLookup = z.strictObject(
  {
    url: z
      .string('expected an http(s) address')
      .regex(/^(https?:\/\/|\$\{env:)/, 'expected an http(s) address')
      .describe('The address that returns the rows as JSON.'),
    headers: z
      .record(z.string(), z.string('expected a text'), 'expected names and texts')
      .default({})
      .describe('Headers of the request, such as `Authorization`.'),
    key: key.optional().describe('The field with the keys. Left out when the rows are a record by key.'),
    path: z
      .string('expected names with dots between, such as data.items')
      .min(1)
      .optional()
      .describe('The names on the way to the rows, such as `data.items`.'),
    refresh: durationText
      .refine((ms) => ms >= 10_000, 'expected at least 10s')
      .default(15 * 60_000)
      .describe('How long the rows are used before they are requested again. Default: `15m`.'),
    case_sensitive: caseSensitive,
  },
  'expected a lookup, such as { url: "https://assets.example.org/api", key: serial }',
);

/** The name of a lookup: conditions write `lookup.<name>`. */
export const lookupName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,31}$/,
    'expected lower-case letters, digits and _ (at most 32), starting with a letter',
  );
